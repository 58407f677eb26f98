using PgPool.Engine;

namespace PgPool.Tests.Engine.Kit;

/// <summary>A connection that a test holds.</summary>
internal sealed class FakeLease
{
    private readonly PoolEngine<FakeConnection> _engine;
    private readonly Loan<FakeConnection> _loan;

    public FakeLease(PoolEngine<FakeConnection> engine, in Loan<FakeConnection> loan)
    {
        _engine = engine;
        _loan = loan;
        loan.Connection.Enter(FakeConnection.Lease);
    }

    public FakeConnection Connection => _loan.Connection;

    /// <summary>The connection's number, in the order in which they were opened.</summary>
    public int Number => _loan.Connection.Id;

    public long Id => _loan.LeaseId;

    public void Discard(string? reason = null) => _engine.Discard(_loan, reason);

    /// <summary>Gives it back untouched: no reset.</summary>
    public void Return() => Return(touched: false);

    /// <summary>Gives it back used, to be reset in the background.</summary>
    public void ReturnUsed() => Return(touched: true);

    /// <summary>Gives it back used, to be reset on this thread.</summary>
    public void ReturnUsedHere() => Return(touched: true, async: false);

    private void Return(bool touched, bool async = true)
    {
        _loan.Connection.Leave(FakeConnection.Lease);
        _engine.Return(_loan, touched, async);
    }
}
