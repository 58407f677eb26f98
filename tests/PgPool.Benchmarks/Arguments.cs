using System.Diagnostics.CodeAnalysis;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks;

/// <summary>The command line.</summary>
internal sealed class Arguments
{
    public const string Usage =
        """
        Usage: dotnet run -c Release --project tests/PgPool.Benchmarks -- all|CASE... [--quick] [--json FILE] [--chart FILE]
               dotnet run -c Release --project tests/PgPool.Benchmarks -- chart --from FILE --chart FILE
               dotnet run -c Release --project tests/PgPool.Benchmarks -- --list
          --quick       each case once and briefly: shows that it works, its figures mean little
          --json FILE   writes the results there as well
          --chart FILE  draws them, as a PNG
          --from FILE   what --json wrote in an earlier run
          --list        lists the cases
        """;

    private readonly List<IBenchmark> _benchmarks = [];
    private bool _isChartOnly;

    public IReadOnlyList<IBenchmark> Benchmarks => _benchmarks;

    public bool Quick { get; private set; }

    public bool List { get; private set; }

    public string? JsonFile { get; private set; }

    public string? ChartFile { get; private set; }

    /// <summary>The results to draw instead of running anything; then there is a <see cref="ChartFile"/>.</summary>
    public string? FromFile { get; private set; }

    public static bool TryParse(string[] args, out Arguments arguments, [NotNullWhen(false)] out string? error)
    {
        arguments = new Arguments();
        error = null;
        var rest = new Queue<string>(args);
        while (error is null && rest.TryDequeue(out var argument))
            error = arguments.Take(argument, rest);
        error ??= arguments.Check();
        return error is null;
    }

    /// <returns>What is wrong with them together, if anything.</returns>
    private string? Check()
    {
        if (List)
            return null;
        if (_isChartOnly)
        {
            return FromFile is null || ChartFile is null || _benchmarks.Count > 0
                ? "\"chart\" runs no case, and needs --from and --chart."
                : null;
        }
        if (FromFile is not null)
            return "--from is for \"chart\" only.";
        return _benchmarks.Count == 0 ? "Which case? \"all\", or some of those that --list lists." : null;
    }

    /// <returns>What is wrong with it, if anything.</returns>
    private string? Take(string argument, Queue<string> rest)
    {
        switch (argument)
        {
            case "--quick":
                Quick = true;
                return null;
            case "--list":
                List = true;
                return null;
            case "--json":
                return TakeFile(file => JsonFile = file);
            case "--chart":
                return TakeFile(file => ChartFile = file);
            case "--from":
                return TakeFile(file => FromFile = file);
            case "chart":
                _isChartOnly = true;
                return null;
            case "all":
                _benchmarks.AddRange(Catalog.All);
                return null;
            default:
                if (Catalog.All.FirstOrDefault(benchmark => benchmark.Name == argument) is not { } named)
                    return $"There is no case or option \"{argument}\".";
                _benchmarks.Add(named);
                return null;
        }

        string? TakeFile(Action<string> take)
        {
            if (!rest.TryDequeue(out var file))
                return $"{argument} needs a file.";
            take(file);
            return null;
        }
    }
}
