using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration.Faults;

/// <summary>One cell of the matrix: a pool with one session brought into a state, a fault, and all that is to be seen of it.</summary>
internal sealed class FaultCell : IAsyncDisposable
{
    private readonly FaultyServer _server;
    private readonly Fault _fault;
    private readonly Expectation _expected;
    private readonly ConnectionPool _pool;
    private readonly Renter _renter;
    private readonly OpenGate _gate = new();
    private readonly List<ConnectionLease> _leases = [];
    private int _session;

    public FaultCell(PostgresServer server, Fault fault, bool async, Expectation expected)
    {
        _server = new FaultyServer(server);
        _fault = fault;
        _expected = expected;
        _pool = new ConnectionPool(Options());
        _renter = new Renter(_pool, async);
    }

    /// <summary>Has the fault strike in the state, and looks at what those see whom it concerns.</summary>
    public async Task StrikeAsync(State state)
    {
        var rent = await (state switch
        {
            State.Idle => WhileIdleAsync(),
            State.Leased => WhileLeasedAsync(),
            State.Opening => WhileOpeningAsync(),
            State.Resetting => WhileResettingAsync(),
            State.Validating => WhileValidatingAsync(),
            _ => throw new ArgumentOutOfRangeException(nameof(state)),
        });
        await SeeAsync(rent, _expected.Rent);
        if (_expected.OpenFailed is { } failed)
            Assert.Equal(failed, _pool.GetStatistics().OpenFailed);
        await ClosedAsExpectedAsync();
    }

    /// <summary>Cures the fault under the eyes of a renter that needs a new connection.</summary>
    /// <param name="newcomer">What that one sees.</param>
    public async Task CureAsync(Seen newcomer)
    {
        _pool.Resize(0, 2);
        var rent = _renter.RentAsync();
        if (newcomer == Seen.WaitsForCure)
        {
            await _renter.BecomesAsync(pool => pool.LastOpenError is not null, "an attempt to open has failed");
            var exception = await Assert.ThrowsAsync<PoolTimeoutException>(() => _renter.RentAsync(TimeSpan.FromMilliseconds(50)));
            Assert.Contains("the server is unreachable", exception.Message, StringComparison.Ordinal);
            Assert.False(rent.IsCompleted);
            await _server.CureAsync(_fault);
            await SeeAsync(rent, Seen.NewSession);
        }
        else
        {
            await SeeAsync(rent, newcomer);
            await _server.CureAsync(_fault);
        }
    }

    /// <summary>Every place of the pool is there and works, and when it is closed nothing is left, here or on the server.</summary>
    public async Task NothingIsLostAsync()
    {
        await ReturnAllAsync();
        _leases.AddRange(await Task.WhenAll(_renter.RentAsync(), _renter.RentAsync()));
        foreach (var lease in _leases)
            Assert.Equal(lease.BackendProcessId, await _renter.AskAsync(lease));
        Assert.False(_pool.TryRent(out _));
        await ReturnAllAsync();

        var settled = await _renter.BecomesAsync(
            pool => pool is { Idle: 2, Total: 2, Leased: 0, Resetting: 0, Opening: 0, Waiting: 0 }, "two idle connections and nothing else");
        Assert.Equal(settled.Total, settled.Opened - settled.Closed);
        Assert.Equal(0, settled.DirtyReturns);
        if (_fault != Fault.ServerDeaf)
            await ClosedAsExpectedAsync();
        await SessionsBecomeAsync(2);

        await _pool.CloseAsync(TimeSpan.Zero).WaitAsync(Eventually.Deadline);
        var closed = _pool.GetStatistics();
        Assert.Equal((0, 0, 0), (closed.Total, closed.Opening, closed.Waiting));
        Assert.Equal(closed.Opened, closed.Closed);
        await SessionsBecomeAsync(0);
        await Eventually.BecomesAsync(() => _server.Connections == 0, "no connection is open");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.CureAsync(_fault);
        _gate.Open();
        await _pool.CloseAsync(TimeSpan.Zero).WaitAsync(Eventually.Deadline);
        await _server.DisposeAsync();
    }

    private async Task<Task<ConnectionLease>> WhileIdleAsync()
    {
        await HaveOneIdleAsync();
        await _server.StrikeAsync(_fault);
        return RentAsync();
    }

    private async Task<Task<ConnectionLease>> WhileLeasedAsync()
    {
        var lease = await UseAsync();
        await _server.StrikeAsync(_fault);
        if (_expected.CommandFails)
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => _renter.AskAsync(lease));
        else
            Assert.Equal(_session, await _renter.AskAsync(lease));
        await _renter.ReturnAsync(lease);
        return RentAsync();
    }

    private async Task<Task<ConnectionLease>> WhileOpeningAsync()
    {
        var strikesSessions = _fault is Fault.BackendTerminated or Fault.SocketCut or Fault.ServerRestarted;
        if (strikesSessions)
            _gate.Close();
        else
            _server.Hold();
        var rent = RentAsync();
        await _renter.BecomesAsync(
            pool => strikesSessions ? _gate.IsReached : IsUnderWay(pool.Opening == 1 && _server.Connections == 1, pool), "the session is being opened");
        await _server.StrikeAsync(_fault);
        _gate.Open();
        return rent;
    }

    private async Task<Task<ConnectionLease>> WhileResettingAsync()
    {
        var lease = await UseAsync();
        _server.Hold();
        var returning = _renter.ReturnAsync(lease);
        await _renter.BecomesAsync(pool => IsUnderWay(pool.Resetting == 1, pool), "the session is being reset");
        var rent = RentAsync();
        await _renter.BecomesAsync(pool => IsUnderWay(pool.Waiting == 1, pool), "somebody waits for it");
        await _server.StrikeAsync(_fault);
        await returning;
        return rent;
    }

    private async Task<Task<ConnectionLease>> WhileValidatingAsync()
    {
        await HaveOneIdleAsync();
        _server.Hold();
        var rent = RentAsync();
        await _renter.BecomesAsync(pool => IsUnderWay(pool.Resetting == 1, pool), "the session is being pinged");
        await _server.StrikeAsync(_fault);
        return rent;
    }

    // To hold is to be deaf: where that is the fault itself, it may have come to an end before we look.
    private bool IsUnderWay(bool isSeen, PoolStatistics pool) =>
        isSeen || (_fault == Fault.ServerDeaf && pool.OpenFailed + pool.Closed + pool.TimedOut > 0);

    /// <summary>A rent that is to time out does so soon; any other waits for as long as it takes.</summary>
    private Task<ConnectionLease> RentAsync() => _renter.RentAsync(_expected.Rent == Seen.TimesOut ? TimeSpan.FromMilliseconds(500) : null);

    private async Task<ConnectionLease> UseAsync()
    {
        var lease = await _renter.RentAsync();
        _session = await _renter.AskAsync(lease);
        return lease;
    }

    private async Task HaveOneIdleAsync()
    {
        await _renter.ReturnAsync(await UseAsync());
        await _renter.BecomesAsync(pool => pool.Idle == 1, "the session is idle");
    }

    private async Task ReturnAllAsync()
    {
        foreach (var lease in _leases)
            await _renter.ReturnAsync(lease);
        _leases.Clear();
    }

    private async Task SeeAsync(Task<ConnectionLease> rent, Seen seen)
    {
        if (seen == Seen.TimesOut)
        {
            var exception = await Assert.ThrowsAsync<PoolTimeoutException>(() => rent);
            Assert.Matches("the server is (slow|unreachable)", exception.Message);
        }
        else if (seen == Seen.Refused)
        {
            await Assert.ThrowsAsync<PoolConnectException>(() => rent);
        }
        else
        {
            var lease = await rent;
            _leases.Add(lease);
            Assert.Equal(seen == Seen.SameSession, lease.BackendProcessId == _session);
            Assert.Equal(lease.BackendProcessId, await _renter.AskAsync(lease));
        }
    }

    private async Task ClosedAsExpectedAsync() => await _renter.BecomesAsync(
        pool => pool.ClosedByReason.All(closed => closed.Value == (closed.Key == _expected.Closed ? 1 : 0)),
        $"closed for {_expected.Closed?.ToString() ?? "nothing"} and nothing else");

    // A session that could not be closed, for nothing came back on it, goes when its connection is collected.
    private Task SessionsBecomeAsync(int count) => Eventually.BecomesAsync(async () =>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return await _server.CountSessionsAsync() == count;
    }, $"the server has {count} sessions of the pool");

    private ConnectionPoolOptions Options()
    {
        var connection = _server.ConnectionString;
        var patience = Eventually.Deadline;
        if (_fault == Fault.ServerDeaf)
        {
            // Here deadlines are what ends things; elsewhere none is to be met. A second is the shortest that Npgsql's own can be. It waits for an
            // answer to a cancel, which is of no interest here.
            connection.CommandTimeout = 1;
            connection.CancellationTimeout = -1;
            patience = TimeSpan.FromSeconds(1);
        }

        return new ConnectionPoolOptions(connection.ConnectionString)
        {
            MinSize = 0,
            MaxSize = 1,
            ValidateAfterIdle = TimeSpan.Zero,
            KeepAliveInterval = Timeout.InfiniteTimeSpan,
            OpenTimeout = patience,
            ValidationTimeout = patience,
            ResetTimeout = patience,
            ReconnectDelay = TimeSpan.FromMilliseconds(10),
            MaxReconnectDelay = TimeSpan.FromMilliseconds(50),
            OnConnectionOpened = _gate.PassAsync,
        };
    }
}
