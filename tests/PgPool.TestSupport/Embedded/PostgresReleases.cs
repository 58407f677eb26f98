using MysticMind.PostgresEmbed;

namespace PgPool.TestSupport.Embedded;

/// <summary>The releases of PostgreSQL that are fetched: the one place to change when there are newer ones.</summary>
internal static class PostgresReleases
{
    private static readonly SortedDictionary<int, string> Releases = new()
    {
        [10] = "10.23.0",
        [11] = "11.22.1",
        [12] = "12.22.0",
        [13] = "13.23.0",
        [14] = "14.23.0",
        [15] = "15.18.0",
        [16] = "16.14.0",
        [17] = "17.10.0",
        [18] = "18.4.0",
    };

    public static int Oldest => Releases.Keys.First();

    public static int Newest => Releases.Keys.Last();

    /// <summary>Whether this is a major version that servers may be asked for.</summary>
    public static bool IsKnown(int major) => Releases.ContainsKey(major);

    /// <summary>The release of a major version, or of the newest, that is fetched where there is a choice.</summary>
    public static string Pinned(int? major) => Releases[major ?? Newest];

    /// <summary>The best of several releases: the pinned one, else the newest of the major version.</summary>
    /// <param name="major">Null: the newest that is there and known.</param>
    /// <param name="available">What there is to choose from.</param>
    /// <returns>Null: there is none of that version.</returns>
    public static string? Choose(int? major, IReadOnlyCollection<string> available)
    {
        IEnumerable<int> candidates = major is { } asked ? [asked] : Releases.Keys.Reverse();
        return candidates.Select(candidate => ChooseOf(candidate, available)).FirstOrDefault(release => release is not null);
    }

    private static string? ChooseOf(int major, IReadOnlyCollection<string> available) =>
        Releases.TryGetValue(major, out var pinned) && available.Contains(pinned) ? pinned : PgVersions.Match($"{major}", available);
}
