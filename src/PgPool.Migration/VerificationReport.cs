namespace PgPool.Migration;

/// <summary>What a verification found.</summary>
public sealed record VerificationReport
{
    /// <summary>The tables, in the order they were given.</summary>
    public required IReadOnlyList<TableVerification> Tables { get; init; }

    /// <summary>Whether all tables match.</summary>
    public bool Matches => Tables.All(table => table.Matches);

    /// <summary>Whether all tables match, but for rows that this run has put aside.</summary>
    public bool MatchesButForRejected => Tables.All(table => table.Matches || table.MatchesButForRejected);
}
