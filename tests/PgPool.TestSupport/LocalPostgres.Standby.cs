using System.Globalization;
using Npgsql;

namespace PgPool.TestSupport;

// Streaming replication.
internal sealed partial class LocalPostgres
{
    // What the server makes anew, what belongs to one server only, and the write-ahead log, which the standby gets by streaming.
    private const string CopyScript =
        """
        umask 077
        mkdir "$0" && cd "$1" || exit
        for entry in *; do
            case $entry in
                postmaster.* | server.log | backup_label* | tablespace_map* | standby.signal | recovery.*) ;;
                pg_wal | pg_replslot | pg_dynshmem | pg_notify | pg_serial | pg_snapshots | pg_stat_tmp | pg_subtrans) mkdir "$0/$entry" ;;
                *) LC_ALL=C cp -Rp "$entry" "$0/" 2>>"$0/copy.log" ;;
            esac
        done

        # The server at work removes files at any time. Their removal is in the log.
        ! grep -v 'No such file or directory' "$0/copy.log" && rm -f "$0/copy.log"
        """;

    private int MajorVersion => int.Parse(File.ReadAllText(Path.Combine(_folder, "PG_VERSION")), CultureInfo.InvariantCulture);

    /// <summary>A copy of this server that follows it.</summary>
    public async Task<LocalPostgres> StartStandbyAsync(CancellationToken cancellationToken)
    {
        if (_tls is not null)
            throw new NotSupportedException("A standby would need certificates of its own: start it of a server without TLS.");

        var standby = new LocalPostgres(_programs, new PostgresServerOptions());
        try
        {
            // A backup ends with its session, and so does the slot, which keeps the write-ahead log until the standby has what it needs.
            await using var session = new NpgsqlConnection(AdminConnectionString + ";Pooling=false");
            await session.OpenAsync(cancellationToken);
            await standby.CopyAsync(this, session, cancellationToken);
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
        await BecomeStandbyAsync(primary: null, cancellationToken);
        await StartAgainAsync(cancellationToken);
    }

    // PostgreSQL's online backup: pg_basebackup would do the same, but not every installation has it.
    private async Task CopyAsync(LocalPostgres primary, NpgsqlConnection session, CancellationToken cancellationToken)
    {
        var (start, stop) = primary.MajorVersion < 15
            ? ("pg_start_backup('standby', true, false)", "pg_stop_backup(false, false)")
            : ("pg_backup_start('standby', true)", "pg_backup_stop(false)");
        await ReadAsync($"SELECT {start}::text FROM pg_create_physical_replication_slot('standby_' || pg_backend_pid(), true, true)");
        await ServerAccount.RunAsync(["/bin/sh", "-c", CopyScript, _folder, primary._folder], cancellationToken);
        var label = await ReadAsync($"SELECT labelfile FROM {stop}");
        await ServerAccount.WriteAsync(Path.Combine(_folder, "backup_label"), label, cancellationToken);

        // The last setting of a name counts: these win over the primary's.
        await ConfigureAsync(OwnPlace(), cancellationToken);
        await BecomeStandbyAsync(primary, cancellationToken);

        async Task<string> ReadAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, session) { CommandTimeout = 0 };
            return $"{await command.ExecuteScalarAsync(cancellationToken)}";
        }
    }

    private async Task BecomeStandbyAsync(LocalPostgres? primary, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>();
        if (primary is not null)
        {
            var from = new NpgsqlConnectionStringBuilder(primary.ConnectionString);
            settings["primary_conninfo"] = $"host={from.Host} port={from.Port} user={from.Username} password={from.Password}";
        }

        // Before PostgreSQL 12, a file of its own has the settings of recovery.
        if (MajorVersion < 12)
        {
            settings["standby_mode"] = "on";
            await ServerAccount.WriteAsync(Path.Combine(_folder, "recovery.conf"), Lines(settings), cancellationToken);
            return;
        }

        await ConfigureAsync(settings, cancellationToken);
        await ServerAccount.WriteAsync(Path.Combine(_folder, "standby.signal"), "", cancellationToken);
    }
}
