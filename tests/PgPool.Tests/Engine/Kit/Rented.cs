using PgPool.Engine;

namespace PgPool.Tests.Engine.Kit;

/// <summary>How a test's rent ended.</summary>
internal sealed record Rented(RentOutcome Outcome, IReadOnlyList<FakeLease> Leases, TimeSpan Waited, Exception? Error)
{
    /// <summary>The one lease of a rent of one.</summary>
    public FakeLease Lease => Leases.Single();

    public static Rented From(PoolEngine<FakeConnection> engine, in RentResult<FakeConnection> result)
    {
        Loan<FakeConnection>[] loans = result.Outcome == RentOutcome.Lent ? result.Group ?? [result.Loan] : [];
        return new Rented(result.Outcome, [.. loans.Select(loan => new FakeLease(engine, loan))], result.Waited, result.Error);
    }

    public void Return()
    {
        foreach (var lease in Leases)
            lease.Return();
    }
}
