using System.Diagnostics;
using Npgsql;

namespace PgPool.Benchmarks.Cases.Copying;

/// <summary>What else copies a table from one PostgreSQL to another, each as its users call it.</summary>
internal static class CopyTools
{
    // Debian's /usr/bin/psql is a script that looks for this one: a tenth of a second that is not the peer's.
    private static readonly string Psql = Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateFiles("/usr/lib/postgresql", "psql", SearchOption.AllDirectories).Order().LastOrDefault("psql")
        : "psql";

    public static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    public static Task PipeAsync(Arena arena) => ShellAsync($"""
        '{Psql}' -qc 'COPY accounts TO STDOUT (FORMAT binary)' "$SOURCE" | '{Psql}' -qc 'COPY accounts FROM STDIN (FORMAT binary)' "$TARGET"
        """, arena);

    /// <summary>A process for a table, and four for the parts of it that it cuts.</summary>
    public static Task PgCopyDbAsync(Arena arena) => ShellAsync("""
        dir=$(mktemp -d)
        pgcopydb copy table-data --source "$SOURCE" --target "$TARGET" --table-jobs 2 --index-jobs 1 --split-tables-larger-than 64MB --dir "$dir/work" --restart
        code=$?; rm -rf "$dir"; exit $code
        """, arena);

    public static Task PgLoaderAsync(Arena arena) => ShellAsync("""
        load=$(mktemp)
        printf "LOAD DATABASE FROM %s INTO %s WITH data only, workers = 2, concurrency = 1 INCLUDING ONLY TABLE NAMES MATCHING 'accounts' IN SCHEMA 'public';" \
            "$SOURCE" "$TARGET" >"$load"
        pgloader "$load"
        code=$?; rm "$load"; exit $code
        """, arena);

    private static async Task ShellAsync(string script, Arena arena)
    {
        var start = new ProcessStartInfo("bash", ["-o", "pipefail", "-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SOURCE"] = Uri(arena.SourceConnection);
        start.Environment["TARGET"] = Uri(arena.TargetConnection);
        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"It ended with {process.ExitCode}: {string.Join('\n', said)}");
    }

    private static string Uri(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString);
        var password = string.IsNullOrEmpty(database.Password) ? "" : $":{System.Uri.EscapeDataString(database.Password)}";
        return $"postgres://{System.Uri.EscapeDataString(database.Username!)}{password}@{database.Host}:{database.Port}/{database.Database}";
    }
}
