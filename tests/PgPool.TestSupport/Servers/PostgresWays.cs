using PgPool.TestSupport.Embedded;

namespace PgPool.TestSupport.Servers;

/// <summary>The ways to get a server, in order: the first that works is taken.</summary>
internal sealed class PostgresWays(TestBedSettings settings, IReadOnlyList<IPostgresWay> ways)
{
    private static readonly Lazy<PostgresWays> Machine = new(() => FromEnvironment(Environment.GetEnvironmentVariable));

    /// <summary>Those of this machine, as its environment wants them.</summary>
    public static PostgresWays OfThisMachine => Machine.Value;

    public static PostgresWays FromEnvironment(Func<string, string?> variable)
    {
        var settings = TestBedSettings.Read(variable);
        return new(settings, [new ConnectionWay(settings), new ContainerWay(settings), new ProgramsWay(), new EmbeddedWay(settings)]);
    }

    /// <exception cref="NotInstalledException">No way works.</exception>
    /// <exception cref="InvalidOperationException">A server does not start.</exception>
    /// <exception cref="ArgumentException">The options ask for a version that does not exist.</exception>
    public async Task<PostgresServer> StartAsync(PostgresServerOptions options, CancellationToken cancellationToken)
    {
        var version = VersionOf(options.Version);
        PostgresServer? server = null;
        var reasons = await TryAsync(Candidates(options.Local),
            async way => server = await way.StartAsync(version, options, cancellationToken));
        return server ?? throw new NotInstalledException(Explain(version, reasons));
    }

    /// <summary>Why no server can be started on this machine that tests may stop; null: one can.</summary>
    public async Task<string?> WhyNoLocalServerAsync(int? version, CancellationToken cancellationToken)
    {
        version = VersionOf(version);
        PostgresPrograms? programs = null;
        var reasons = await TryAsync(Candidates(local: true).Cast<LocalWay>(),
            async way => programs = await way.GetProgramsAsync(version, cancellationToken));
        return programs is null ? Explain(version, reasons) : null;
    }

    private static async Task<List<string>> TryAsync<T>(IEnumerable<T> candidates, Func<T, Task> attempt) where T : IPostgresWay
    {
        var reasons = new List<string>();
        foreach (var way in candidates)
        {
            try
            {
                await attempt(way);
                break;
            }
            catch (WayUnavailableException e)
            {
                reasons.Add($"  {way.Name}: {e.Message}");
            }
        }

        return reasons;
    }

    private static string Explain(int? version, List<string> reasons) => string.Join(Environment.NewLine,
        [$"No {(version is null ? "PostgreSQL server" : $"server of PostgreSQL {version}")} to run against. What was tried:", .. reasons]);

    private int? VersionOf(int? asked) => asked is { } version && !PostgresReleases.IsKnown(version)
        ? throw new ArgumentException(
            $"{nameof(PostgresServerOptions.Version)} is {version}: it must be {PostgresReleases.Oldest} to {PostgresReleases.Newest}.", nameof(asked))
        : asked ?? settings.Version;

    // A test that stops its server wants one of its own, though others use the one that the environment names.
    private IEnumerable<IPostgresWay> Candidates(bool local)
    {
        var forced = ways.Where(way => settings.Way is null || way.Name == settings.Way).ToArray();
        if (forced.Length == 0)
        {
            throw new InvalidOperationException($"{TestBedSettings.WayVariable} is '{settings.Way}': it must be one of "
                + $"{string.Join(", ", ways.Select(way => way.Name))}.");
        }

        if (!local)
            return forced;
        return forced.OfType<LocalWay>().Any() ? forced.OfType<LocalWay>() : ways.OfType<LocalWay>();
    }
}
