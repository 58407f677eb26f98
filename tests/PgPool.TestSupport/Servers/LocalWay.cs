namespace PgPool.TestSupport.Servers;

/// <summary>A server of its own on this machine, started with PostgreSQL's programs from wherever they are.</summary>
internal abstract class LocalWay : IPostgresWay
{
    public abstract string Name { get; }

    public async Task<PostgresServer> StartAsync(int? version, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        var programs = await GetProgramsAsync(version, cancellationToken);
        return new PostgresServer(await LocalPostgres.StartAsync(programs, options, cancellationToken));
    }

    /// <summary>The programs, of a major version if one is given.</summary>
    /// <exception cref="WayUnavailableException">There are none, or not of that version.</exception>
    public async Task<PostgresPrograms> GetProgramsAsync(int? version, CancellationToken cancellationToken)
    {
        // What ends a stray server (see Watchdog) needs a POSIX shell.
        if (OperatingSystem.IsWindows())
            throw new WayUnavailableException("servers of one's own are not for Windows");
        return await FindAsync(version, cancellationToken);
    }

    protected abstract Task<PostgresPrograms> FindAsync(int? version, CancellationToken cancellationToken);
}
