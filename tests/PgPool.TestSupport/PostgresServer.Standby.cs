namespace PgPool.TestSupport;

// Failover, with servers of this machine.
public sealed partial class PostgresServer
{
    internal PostgresServer(LocalPostgres local) : this(PostgresServerSource.Local, local.ConnectionString, local)
    {
    }

    /// <summary>Starts a hot standby that follows this server, with all its databases.</summary>
    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public async Task<PostgresServer> StartStandbyAsync(CancellationToken cancellationToken = default) =>
        new(await Local.StartStandbyAsync(cancellationToken));

    /// <summary>Makes a standby a primary, and returns when it accepts writes.</summary>
    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public Task PromoteAsync(CancellationToken cancellationToken = default) => Local.PromoteAsync(cancellationToken);

    /// <summary>Starts a stopped primary again as a standby that follows nobody: what is left of it after a failover.</summary>
    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public Task StartAgainAsStandbyAsync(CancellationToken cancellationToken = default) =>
        Local.StartAgainAsStandbyAsync(cancellationToken);

    /// <summary>Waits until a standby has everything that is committed here now.</summary>
    public async Task WaitUntilCaughtUpAsync(PostgresServer standby)
    {
        var position = await ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text");
        await Eventually.BecomesAsync(
            () => standby.ScalarAsync<bool>("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", position), "the standby has caught up");
    }
}
