using System.Globalization;
using Npgsql;
using PgPool;
using PgPool.Migration;
using Spectre.Console;

namespace CopyDatabase;

/// <summary>What moving a database takes: find its tables, copy them, set the sequences, compare.</summary>
internal sealed class DatabaseMove : IAsyncDisposable
{
    // A server that is busy, with this copy too, takes its time to open a session.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Arguments _arguments;
    private readonly ConnectionPool _source;
    private readonly ConnectionPool _target;
    private readonly MigrationRun _run;

    public DatabaseMove(string from, string to, Arguments arguments)
    {
        _arguments = arguments;
        Id = arguments.Resume ?? NewId(arguments.Demo ? "demo" : new NpgsqlConnectionStringBuilder(from).Database ?? "copy");

        // The pools are the budget: never more connections than this. One of the source's holds the snapshot.
        _source = new ConnectionPool(BulkOptions(from, "source", arguments.Degree + 1));
        _target = new ConnectionPool(BulkOptions(to, "target", arguments.Degree));
        _run = new MigrationRun(Id, _source, _target, new MigrationOptions
        {
            Degree = arguments.Degree,
            PartitionBytes = 16 << 20,      // a stop loses what is under way: let that be little
            MaxBytesPerSecond = arguments.Limit,
            DisableTriggers = arguments.DisableTriggers,
            SourceIsFrozen = arguments.Frozen,
        });
    }

    /// <summary>What to tell --resume.</summary>
    public string Id { get; }

    /// <summary>Whether there is something to resume: a run that was refused has left nothing.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether both databases have the same rows in the end, but for those that were asked to be put aside.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        AnsiConsole.WriteLine("Looking at both databases ...");
        await ReachAsync(_source, cancellationToken);
        await ReachAsync(_target, cancellationToken);
        if (_arguments.Demo)
            await FillAsync(cancellationToken);
        var tables = await FindTablesAsync(cancellationToken);
        await _run.CheckAsync(tables, cancellationToken);
        if (_arguments is { Resume: null, Truncate: false })
            await CheckEmptyAsync(tables, cancellationToken);

        AnsiConsole.WriteLine($"Run {Id}: {tables.Count} table(s), {_arguments.Degree} worker(s).");
        var copied = await ProgressScreen.ShowAsync("copy", bar => _run.CopyAsync(tables, new Beginning(this, bar), cancellationToken));
        await _run.SynchronizeSequencesAsync(tables, cancellationToken);
        var verified = await ProgressScreen.ShowAsync("verify", _ => _run.VerifyAsync(tables, VerificationMode.Checksum, cancellationToken));

        Report.ShowTables(copied, verified);
        Report.ShowRun(copied);
        Report.ShowMemory();
        Report.ShowPools(_source.GetStatistics(), _target.GetStatistics());
        if (!verified.MatchesButForRejected)
            Report.TellDifferences(verified);
        return verified.MatchesButForRejected;
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
    }

    // A database that is not there is told soon: the patience is for the copy.
    private static async Task ReachAsync(ConnectionPool pool, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(new() { Label = "is it there?", Timeout = TimeSpan.FromSeconds(5) }, cancellationToken);
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        AnsiConsole.WriteLine("Filling a database of some 300 MB ...");
        await DemoDatabase.CreateSchemaAsync(_source, cancellationToken);
        await DemoDatabase.CreateSchemaAsync(_target, cancellationToken);
        await DemoDatabase.FillAsync(_source, cancellationToken);
    }

    private async Task<IReadOnlyList<TableCopy>> FindTablesAsync(CancellationToken cancellationToken)
    {
        var found = await MigrationRun.DiscoverAsync(_source, cancellationToken: cancellationToken);
        if (_arguments.Exclude.Except(found.Select(table => table.Source)).FirstOrDefault() is { } unknown)
            throw new MigrationException($"The source has no table {unknown} to exclude: correct the name, or name the partitioned table that it belongs to.");
        if (found.Count == 0)
            throw new MigrationException("The source has no tables.");
        found = [.. found.ExceptBy(_arguments.Exclude, table => table.Source)];
        if (found.Count == 0)
            throw new MigrationException("Every table of the source is excluded.");
        if (_arguments.Resume is not null)
        {
            HasBegun = await _run.HasBegunAsync(cancellationToken);
            if (!HasBegun)
                throw new MigrationException($"The target knows no run {Id}: correct the id, or leave --resume out to begin one.");
        }

        return
        [
            .. found.Select(table => table with
            {
                Mode = _arguments.Truncate ? TargetMode.Truncate : TargetMode.Append,
                BadRows = _arguments.Reject ? BadRows.Reject : BadRows.Fail,
            }),
        ];
    }

    // The package appends to what is there, as it was told to; for a whole database that is hardly what anybody wants.
    private async Task CheckEmptyAsync(IReadOnlyList<TableCopy> tables, CancellationToken cancellationToken)
    {
        await using var lease = await _target.RentAsync(new() { Label = "is it empty?" }, cancellationToken);
        List<string> full = [];
        foreach (var table in tables.Select(table => table.Source.ToString()))
        {
            await using var look = lease.CreateCommand($"SELECT EXISTS (SELECT FROM {table})");
            if (await look.ExecuteScalarAsync(cancellationToken) is true)
                full.Add(table);
        }

        if (full.Count > 0)
        {
            throw new MigrationException(
                $"The target has rows in {string.Join(", ", full)}: empty it, have it emptied with --truncate, or go on with an earlier run with --resume.");
        }
    }

    // To be typed again: in one word.
    private static string NewId(string database) => string.Create(
        CultureInfo.InvariantCulture,
        $"{string.Concat(database.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '_'))}-{DateTime.UtcNow:yyyyMMdd-HHmmss}");

    private static ConnectionPoolOptions BulkOptions(string connectionString, string name, int maxSize)
    {
        var bulk = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "CopyDatabase",
            CommandTimeout = 0,             // a COPY takes as long as it takes
            ReadBufferSize = 64 * 1024,     // 8 KiB by default: a system call for every few rows
            WriteBufferSize = 64 * 1024,
            SocketReceiveBufferSize = 256 * 1024,   // the kernel's grow to megabytes, and a part's end waits until they are empty
            SocketSendBufferSize = 256 * 1024,
            TcpKeepAlive = true,            // the snapshot's connection is silent for as long as the copy runs
        };
        return new ConnectionPoolOptions(bulk.ConnectionString) { Name = name, MaxSize = maxSize, RentTimeout = Patience };
    }

    // The first that has parts to tell of comes when the plan is stored.
    private sealed class Beginning(DatabaseMove move, IProgress<MigrationProgress> bar) : IProgress<MigrationProgress>
    {
        public void Report(MigrationProgress value)
        {
            move.HasBegun |= value.PartitionsTotal > 0;
            bar.Report(value);
        }
    }
}
