namespace PgPool.Benchmarks.Harness;

/// <summary>What the rounds of two sides showed.</summary>
internal sealed class Comparison<T>(IReadOnlyList<(T Ours, T Peer)> rounds)
{
    public double Ours(Func<T, double> figure) => rounds.Select(round => figure(round.Ours)).Median();

    public double Peer(Func<T, double> figure) => rounds.Select(round => figure(round.Peer)).Median();

    /// <summary>The median of each round's own ratio: a slow stretch of the machine slows both sides of its round.</summary>
    public double Ratio(Func<T, double> figure) => rounds.Select(round => figure(round.Ours) / figure(round.Peer)).Median();

    /// <summary>A claim about the ratio of the two.</summary>
    public Finding Compare(string what, Func<T, double> figure, Bar? bar = null) =>
        new(what, Ours(figure), Peer(figure), Ratio(figure), bar);

    /// <summary>A claim about our figure, or none; the peer's is for information.</summary>
    public Finding Show(string what, Func<T, double> figure, Bar? bar = null) =>
        new(what, Ours(figure), Peer(figure), Ratio: null, bar);
}
