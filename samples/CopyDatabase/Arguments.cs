using Npgsql;

namespace CopyDatabase;

/// <summary>The command line. Without databases, a demonstration is copied.</summary>
internal sealed record Arguments(string? Source, string? Target, int Workers, bool Truncate, bool Help)
{
    public const string Usage = """
        Copies a whole PostgreSQL database into another, in parallel, and verifies the copy.

          CopyDatabase [--workers N]
              starts a PostgreSQL server, fills a database of some 300 MB, and copies that
          CopyDatabase --source "<connection string>" --target "<connection string>" [--workers N] [--truncate]
              copies every table of the source; the target must have the same tables, and they must be empty

          --workers N   parts copied at the same time (default 4); needs N + 1 connections to the source, N to the target
          --truncate    empties the target's tables first
          --help        shows this

        Exit code: 0 copied and verified, 1 failed or found different, 2 bad arguments, 130 cancelled.
        """;

    /// <exception cref="ArgumentException">The message is meant for the user.</exception>
    public static Arguments Parse(string[] args)
    {
        var arguments = new Arguments(Source: null, Target: null, Workers: 4, Truncate: false, Help: false);
        for (var i = 0; i < args.Length; i++)
        {
            arguments = args[i] switch
            {
                "--source" => arguments with { Source = ConnectionString() },
                "--target" => arguments with { Target = ConnectionString() },
                "--workers" => arguments with { Workers = WorkerCount() },
                "--truncate" => arguments with { Truncate = true },
                "--help" or "-h" => arguments with { Help = true },
                _ => throw new ArgumentException($"Unknown argument \"{args[i]}\": see --help."),
            };

            string Value(string what) =>
                i + 1 < args.Length ? args[++i] : throw new ArgumentException($"{args[i]} needs {what}.");

            int WorkerCount() =>
                int.TryParse(Value("a number"), out var count) && count is >= 1 and <= 1000
                    ? count
                    : throw new ArgumentException($"--workers must be a number from 1 to 1000, not \"{args[i]}\".");

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
                    throw new ArgumentException($"{args[i - 1]} is not an Npgsql connection string: {e.Message}", e);
                }

                throw new ArgumentException($"{args[i - 1]} names no Host.");
            }
        }

        if (arguments.Source is null != arguments.Target is null)
            throw new ArgumentException("--source and --target go together.");
        if (arguments.Truncate && arguments.Target is null)
            throw new ArgumentException("--truncate needs --source and --target.");
        return arguments;
    }
}
