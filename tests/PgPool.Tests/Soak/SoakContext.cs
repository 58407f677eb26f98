namespace PgPool.Tests.Soak;

/// <summary>What all workers of a soak share.</summary>
internal sealed class SoakContext(ConnectionPool pool, SoakReport report, string[] defaults, RowLedger rows)
{
    public ConnectionPool Pool => pool;

    public SoakReport Report => report;

    public SessionLedger Sessions { get; } = new(report, defaults);

    public RowLedger Rows => rows;

    public Leftovers Leftovers { get; } = new();
}
