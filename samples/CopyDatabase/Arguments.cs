using System.Globalization;
using Npgsql;
using PgPool.Migration;

namespace CopyDatabase;

/// <summary>The command line. Without databases, a demonstration is copied.</summary>
internal sealed record Arguments
{
    private const string Example = "\"Host=old;Port=5432;Username=me;Password=secret;Database=shop\"";

    public const string Usage = """
        Copies a whole PostgreSQL database into another, in parallel and at one instant, sets its sequences, and verifies the copy.

          CopyDatabase [options]
              starts a PostgreSQL server, fills a database of some 300 MB, and copies that
          CopyDatabase --source "<connection string>" --target "<connection string>" [options]
              copies every table of the source; the target must have the same tables, and they must be empty
          CopyDatabase --source … --target … --resume ID
              goes on with a run that was stopped, or takes part in one that another process is at: give the options that it was begun with

          --degree N          workers (default 4); needs N + 1 connections to the source, N to the target
          --limit N           megabytes a second, over all workers of this process
          --exclude TABLE     leaves a table out, "schema.name" as SQL writes it; may be given several times
          --truncate          empties the target's tables first
          --disable-triggers  the target fires no triggers and checks no foreign keys while rows come in; needs a superuser, or SET on
                              session_replication_role
          --reject            rows that the target refuses go to its table pgpool_migration.rejected; without it, the first one ends the run
          --frozen            the source does not change until the run is done: tables without a key, too, can then be resumed
          --demo              makes the demonstration's tables in both databases, and fills the source, before it copies
          --help              shows this

        A connection string is one of Npgsql's: "Host=old;Port=5432;Username=me;Password=secret;Database=shop"; the password may be in PGPASSWORD.
        Ctrl-C stops the run; what is copied stays, and --resume goes on from there.
        Exit code: 0 copied and verified, 1 failed or found different, 2 bad arguments, 130 stopped.
        """;

    public string? Source { get; init; }

    public string? Target { get; init; }

    public string? Resume { get; init; }

    public int Degree { get; init; } = 4;

    /// <summary>Bytes per second.</summary>
    public long? Limit { get; init; }

    public IReadOnlyList<TableName> Exclude { get; init; } = [];

    public bool Truncate { get; init; }

    public bool DisableTriggers { get; init; }

    public bool Reject { get; init; }

    public bool Frozen { get; init; }

    public bool Demo { get; init; }

    public bool Help { get; init; }

    /// <exception cref="ArgumentException">The message is meant for the user.</exception>
    public static Arguments Parse(string[] args)
    {
        var arguments = new Arguments();
        for (var i = 0; i < args.Length; i++)
        {
            var option = args[i];
            arguments = option switch
            {
                "--source" => arguments with { Source = ConnectionString() },
                "--target" => arguments with { Target = ConnectionString() },
                "--resume" => arguments with { Resume = Value("the id of a run") },
                "--degree" => arguments with { Degree = Number(1000) },
                "--limit" => arguments with { Limit = Number(1_000_000) * 1_000_000L },
                "--exclude" => arguments with { Exclude = [.. arguments.Exclude, Table()] },
                "--truncate" => arguments with { Truncate = true },
                "--disable-triggers" => arguments with { DisableTriggers = true },
                "--reject" => arguments with { Reject = true },
                "--frozen" => arguments with { Frozen = true },
                "--demo" => arguments with { Demo = true },
                "--help" or "-h" => arguments with { Help = true },
                _ => throw new ArgumentException($"Unknown argument \"{option}\": see --help."),
            };

            string Value(string what) =>
                i + 1 < args.Length && !string.IsNullOrWhiteSpace(args[i + 1]) ? args[++i] : throw new ArgumentException($"{option} needs {what}.");

            int Number(int most) =>
                int.TryParse(Value("a number"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
                    ? number
                    : throw new ArgumentException($"{option} must be a whole number from 1 to {most}, not \"{args[i]}\".");

            TableName Table()
            {
                try
                {
                    return TableName.Parse(Value("a table"));
                }
                catch (FormatException e)
                {
                    throw new ArgumentException($"{option}: {e.Message}", e);
                }
            }

            string ConnectionString()
            {
                var value = Value("a connection string");
                try
                {
                    if (!string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(value).Host))
                        return value;
                }
                catch (ArgumentException e)
                {
                    throw new ArgumentException(
                        $"{option} is not an Npgsql connection string, as in {Example}: {e.InnerException?.Message ?? e.Message}", e);
                }

                throw new ArgumentException($"{option} names no Host; give it as in {Example}.");
            }
        }

        if (arguments.Source is null != arguments.Target is null)
            throw new ArgumentException("--source and --target go together.");
        if (arguments.Target is null && (arguments.Truncate || arguments.Demo || arguments.Resume is not null || arguments.Exclude.Count > 0))
            throw new ArgumentException("--truncate, --demo, --resume and --exclude need --source and --target.");
        if (arguments is { Resume: not null, Demo: true })
            throw new ArgumentException("--demo begins anew: it does not go with --resume.");
        return arguments;
    }
}
