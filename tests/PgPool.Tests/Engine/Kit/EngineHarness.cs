using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using PgPool.Engine;
using Xunit;

namespace PgPool.Tests.Engine.Kit;

/// <summary>An engine in virtual time with a fake driver. Disposing it ends everything and asserts that nothing is left over.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    private readonly List<FakeLease> _leases = [];

    public EngineHarness(Func<EngineOptions, EngineOptions>? with = null, Action<FakeDriver>? prepare = null)
    {
        prepare?.Invoke(Driver);
        var options = new EngineOptions { PoolName = "test", MaxSize = 2, TimeProvider = Time };
        Engine = new PoolEngine<FakeConnection>(Driver, with?.Invoke(options) ?? options, Events);
        Invariants = new Invariants(Engine, Driver);
        Engine.Start();
    }

    public FakeTimeProvider Time { get; } = new();

    public FakeDriver Driver { get; } = new();

    public RecordingEvents Events { get; } = new();

    public PoolEngine<FakeConnection> Engine { get; }

    public Invariants Invariants { get; }

    public PoolStatistics Statistics => Engine.GetStatistics();

    /// <summary>Rents as the pool does: the fast path, else at once or never, else a place in the queue.</summary>
    public async Task<Rented> RentAsync(
        int need = 1, RentPriority priority = RentPriority.Normal, TimeSpan? timeout = null, string? label = null,
        RentDetails? details = null, CancellationTokenSource? cancellation = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Invariants.LargestNeed = Math.Max(Invariants.LargestNeed, need);
        var request = new RentRequest(label, file, line, details);
        RentResult<FakeConnection> result;
        if (need == 1 && Engine.TryLend(request, out var loan))
            result = new RentResult<FakeConnection>(RentOutcome.Lent, loan, null, null, TimeSpan.Zero);
        else
            result = await Engine.RentAsync(request, need, priority, timeout ?? Timeout.InfiniteTimeSpan, cancellation?.Token ?? default);
        return Keep(Rented.From(Engine, result));
    }

    /// <summary>Rents, blocking this thread.</summary>
    public Rented Rent(RentPriority priority = RentPriority.Normal, TimeSpan? timeout = null, CancellationTokenSource? cancellation = null)
    {
        var request = new RentRequest(null, "Blocking.cs", 1);
        var result = Engine.TryLend(request, out var loan)
            ? new RentResult<FakeConnection>(RentOutcome.Lent, loan, null, null, TimeSpan.Zero)
            : Engine.Rent(request, 1, priority, timeout ?? Timeout.InfiniteTimeSpan, cancellation?.Token ?? default);
        return Keep(Rented.From(Engine, result));
    }

    /// <summary>Rents on a thread of its own, which blocks; completes with the rent in the queue, unless it was served at once.</summary>
    public async Task<Task<Rented>> BlockAsync(
        RentPriority priority = RentPriority.Normal, TimeSpan? timeout = null, CancellationTokenSource? cancellation = null)
    {
        var waiting = Statistics.Waiting;
        var rent = Blocking.RunAsync(() => Rent(priority, timeout, cancellation));
        await Soon.BecomesAsync(() => rent.IsCompleted || Statistics.Waiting > waiting);
        return rent;
    }

    /// <summary>A lease that must be had.</summary>
    public async Task<FakeLease> LeaseAsync([CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var rented = await RentAsync(file: file, line: line).OrHangsAsync();
        Assert.Equal(RentOutcome.Lent, rented.Outcome);
        return rented.Lease;
    }

    /// <summary>This many leases, of connections numbered from 1 on in a new pool.</summary>
    public async Task<FakeLease[]> LeaseAsync(int count)
    {
        var leases = new FakeLease[count];
        for (var i = 0; i < count; i++)
            leases[i] = await LeaseAsync();
        return leases;
    }

    /// <summary>Idle connections 1 to <paramref name="count"/>, returned in that order, a virtual second apart.</summary>
    public async Task FillAsync(int count)
    {
        foreach (var lease in await LeaseAsync(count))
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            lease.Return();
        }
        AssertInvariants();
    }

    public void Advance(TimeSpan span)
    {
        Time.Advance(span);
        AssertInvariants();
    }

    /// <summary>Awaits a state of the pool.</summary>
    public async Task BecomesAsync(Func<PoolStatistics, bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        await Soon.BecomesAsync(() => condition(Statistics), () => Statistics.ToString(), what);
        AssertInvariants();
    }

    /// <summary>Lets virtual time go on, step by step, until something has come true.</summary>
    public Task PassTimeAsync(TimeSpan step, Func<bool> until, [CallerArgumentExpression(nameof(until))] string what = "")
        => Soon.BecomesAsync(
            () =>
            {
                Invariants.AssertAtWork();
                if (until())
                    return true;
                Time.Advance(step);
                return false;
            },
            () => Statistics.ToString(), what);

    public void AssertInvariants() => Invariants.AssertAtRest();

    public async ValueTask DisposeAsync()
    {
        AssertInvariants();
        Driver.Open.Open();
        Driver.Validate.Open();
        Driver.Reset.Open();
        Driver.Close.Open();
        Engine.Shutdown(closeHere: false);
        await Soon.BecomesAsync(() => Statistics.Waiting == 0);
        lock (_leases)
            _leases.ForEach(static lease => lease.Return());
        await Soon.BecomesAsync(() => Engine.WhenGoneAsync().IsCompleted, () => Statistics.ToString());
        Engine.Dispose();
        Invariants.AssertSettled();
    }

    /// <summary>Whatever a test leaves out is returned at its end; returning twice does nothing.</summary>
    private Rented Keep(Rented rented)
    {
        lock (_leases)
            _leases.AddRange(rented.Leases);
        return rented;
    }
}
