using System.Diagnostics.CodeAnalysis;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks;

/// <summary>The command line.</summary>
internal sealed class Arguments
{
    public const string Usage =
        """
        Usage: dotnet run -c Release --project tests/PgPool.Benchmarks -- all|CASE... [--quick] [--json FILE]
               dotnet run -c Release --project tests/PgPool.Benchmarks -- --list
          --quick      each case once and briefly: shows that it works, its figures mean little
          --json FILE  writes the results there as well
          --list       lists the cases
        """;

    private readonly List<IBenchmark> _benchmarks = [];

    public IReadOnlyList<IBenchmark> Benchmarks => _benchmarks;

    public bool Quick { get; private set; }

    public bool List { get; private set; }

    public string? JsonFile { get; private set; }

    public static bool TryParse(string[] args, out Arguments arguments, [NotNullWhen(false)] out string? error)
    {
        arguments = new Arguments();
        error = null;
        var rest = new Queue<string>(args);
        while (error is null && rest.TryDequeue(out var argument))
            error = arguments.Take(argument, rest);
        if (error is null && !arguments.List && arguments._benchmarks.Count == 0)
            error = "Which case? \"all\", or some of those that --list lists.";
        return error is null;
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
                JsonFile = rest.TryDequeue(out var file) ? file : null;
                return JsonFile is null ? "--json needs a file." : null;
            case "all":
                _benchmarks.AddRange(Catalog.All);
                return null;
            default:
                if (Catalog.All.FirstOrDefault(benchmark => benchmark.Name == argument) is not { } named)
                    return $"There is no case or option \"{argument}\".";
                _benchmarks.Add(named);
                return null;
        }
    }
}
