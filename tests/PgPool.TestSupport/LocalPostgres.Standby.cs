using Npgsql;

namespace PgPool.TestSupport;

// Streaming replication with PostgreSQL's own programs.
internal sealed partial class LocalPostgres
{
    /// <summary>A copy of this server that follows it.</summary>
    public async Task<LocalPostgres> StartStandbyAsync(CancellationToken cancellationToken)
    {
        if (_tls is not null)
            throw new NotSupportedException("A standby would need certificates of its own: start it of a server without TLS.");

        var standby = new LocalPostgres(_programs, new PostgresServerOptions());
        try
        {
            await standby.CopyAsync(this, cancellationToken);
            await standby.StartAgainAsync(cancellationToken);
            return standby;
        }
        catch
        {
            await standby.DisposeAsync();
            throw;
        }
    }

    public Task PromoteAsync(CancellationToken cancellationToken) =>
        _programs.RunAsync("pg_ctl", ["-D", _folder, "-w", "promote"], cancellationToken);

    public async Task StartAgainAsStandbyAsync(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "standby.signal"), "", cancellationToken);
        await StartAgainAsync(cancellationToken);
    }

    private async Task CopyAsync(LocalPostgres primary, CancellationToken cancellationToken)
    {
        var from = new NpgsqlConnectionStringBuilder(primary.ConnectionString);
        await _programs.RunAsync("pg_basebackup",
            ["-d", $"host={from.Host} port={from.Port} user={from.Username} password={from.Password}", "-D", _folder,
                "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"], cancellationToken);

        // The last setting of a name counts: these win over the primary's.
        await ConfigureAsync(OwnPlace(), cancellationToken);
    }
}
