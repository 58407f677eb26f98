using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Npgsql;
using PgPool.Diagnostics;
using PgPool.Engine;

namespace PgPool;

// Borrowing.
public sealed partial class ConnectionPool
{
    private readonly bool _keepsDetails;
    private readonly bool _watchesFlows;

    /// <summary>The flow that rents. Set in the renter's own flow: so none of the methods that rent is an async one.</summary>
    private readonly AsyncLocal<RentFlow?> _flow = new();

    /// <inheritdoc cref="Rent(RentOptions, CancellationToken, string, int)"/>
    public ConnectionLease Rent(CancellationToken cancellationToken = default, [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
        => Rent(default(RentOptions), cancellationToken, callerFile, callerLine);

    /// <summary>
    /// Borrows a connection, blocking the thread until there is one. The pool's own waiting and its reset never need a free thread-pool thread to
    /// make progress.
    /// </summary>
    /// <param name="options">What this rent wants that differs from the pool's options.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="callerFile">Leave it to the compiler: shown in diagnostics.</param>
    /// <param name="callerLine">Leave it to the compiler: shown in diagnostics.</param>
    /// <exception cref="PoolTimeoutException">No connection came free in time.</exception>
    /// <exception cref="PoolQueueFullException">As many rents as may wait already do.</exception>
    /// <exception cref="PoolConnectException">The server refused for good.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled while the rent waited.</exception>
    /// <exception cref="ObjectDisposedException">The pool is, or is being, disposed.</exception>
    /// <exception cref="InvalidOperationException">A nested rent in a full pool, under <see cref="NestedRentPolicy.ThrowIfFull"/>.</exception>
    [OverloadResolutionPriority(1)]
    public ConnectionLease Rent(RentOptions options, CancellationToken cancellationToken = default,
        [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var request = Request(options, callerFile, callerLine);
        if (_engine.TryLend(request, out var loan))
            return LeaseAtOnce(loan, options.Label);
        return Lease(_engine.Rent(request, need: 1, options.Priority, TimeoutOf(options), cancellationToken), request, cancellationToken);
    }

    /// <inheritdoc cref="RentAsync(RentOptions, CancellationToken, string, int)"/>
    public ValueTask<ConnectionLease> RentAsync(CancellationToken cancellationToken = default,
        [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
        => LendAsync(default, callerFile, callerLine, cancellationToken);

    /// <summary>Borrows a connection, waiting for one without blocking a thread.</summary>
    /// <inheritdoc cref="Rent(RentOptions, CancellationToken, string, int)"/>
    [OverloadResolutionPriority(1)]
    public ValueTask<ConnectionLease> RentAsync(RentOptions options, CancellationToken cancellationToken = default,
        [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
        => LendAsync(options, callerFile, callerLine, cancellationToken);

    private ValueTask<ConnectionLease> LendAsync(in RentOptions options, string callerFile, int callerLine, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<ConnectionLease>(cancellationToken);
        var request = Request(options, callerFile, callerLine);
        return _engine.TryLend(request, out var loan)
            ? new(LeaseAtOnce(loan, options.Label))
            : WaitAsync(request, options.Priority, TimeoutOf(options), cancellationToken);
    }

    /// <summary>
    /// Never waits, not for a ping either. False when no idle connection is at hand that has answered of late; the pool then starts to check or
    /// to open one, if it may grow, for the next that asks.
    /// </summary>
    /// <param name="lease">The lease, when the result is true.</param>
    /// <param name="callerFile">Leave it to the compiler: shown in diagnostics.</param>
    /// <param name="callerLine">Leave it to the compiler: shown in diagnostics.</param>
    /// <exception cref="ObjectDisposedException">The pool is, or is being, disposed.</exception>
    public bool TryRent([NotNullWhen(true)] out ConnectionLease? lease, [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
    {
        var request = Request(default, callerFile, callerLine);
        var result = _engine.RentNow(request, need: 1, otherwise: RentOutcome.TimedOut);
        lease = result.Outcome == RentOutcome.TimedOut ? null : Lease(result, request, CancellationToken.None);
        return lease is not null;
    }

    /// <summary>
    /// Borrows several connections. All or nothing, in one place of the queue: two callers that each need several cannot deadlock, and small
    /// rents that come later do not overtake.
    /// </summary>
    /// <param name="count">How many: 1 to <see cref="MaxSize"/>.</param>
    /// <param name="options">What this rent wants that differs from the pool's options.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="callerFile">Leave it to the compiler: shown in diagnostics.</param>
    /// <param name="callerLine">Leave it to the compiler: shown in diagnostics.</param>
    /// <exception cref="ArgumentOutOfRangeException">count is below 1 or above <see cref="MaxSize"/>.</exception>
    /// <inheritdoc cref="Rent(RentOptions, CancellationToken, string, int)" path="/exception"/>
    public ValueTask<LeaseGroup> RentManyAsync(int count, RentOptions options = default, CancellationToken cancellationToken = default,
        [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
    {
        var maxSize = MaxSize;
        if (count < 1 || count > maxSize)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"count must be from 1 to MaxSize ({maxSize}).");
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<LeaseGroup>(cancellationToken);
        return WaitForManyAsync(count, Request(options, callerFile, callerLine), options.Priority, TimeoutOf(options), cancellationToken);
    }

    private async ValueTask<ConnectionLease> WaitAsync(RentRequest request, RentPriority priority, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var result = await _engine.RentAsync(request, need: 1, priority, timeout, cancellationToken).ConfigureAwait(false);
        return Lease(result, request, cancellationToken);
    }

    private async ValueTask<LeaseGroup> WaitForManyAsync(int count, RentRequest request, RentPriority priority, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var result = await _engine.RentAsync(request, count, priority, timeout, cancellationToken).ConfigureAwait(false);
        if (result.Outcome != RentOutcome.Lent)
            throw Refused(result, request, count, cancellationToken);
        TellWait(result, request);
        var loans = result.Group ?? [result.Loan];
        return new LeaseGroup(Array.ConvertAll(loans, loan => new ConnectionLease(_engine, loan, request.Label)));
    }

    private ConnectionLease LeaseAtOnce(in Loan<NpgsqlConnection> loan, string? label)
    {
        _metrics.Waited(TimeSpan.Zero);
        return new ConnectionLease(_engine, loan, label);
    }

    private ConnectionLease Lease(in RentResult<NpgsqlConnection> result, in RentRequest request, CancellationToken cancellationToken)
    {
        if (result.Outcome != RentOutcome.Lent)
            throw Refused(result, request, count: 1, cancellationToken);
        TellWait(result, request);
        return new ConnectionLease(_engine, result.Loan, request.Label);
    }

    private void TellWait(in RentResult<NpgsqlConnection> result, in RentRequest request)
    {
        _metrics.Waited(result.Waited);
        _driver.Tracing.Rented(request, result.Waited, failure: null);
    }

    private Exception Refused(in RentResult<NpgsqlConnection> result, in RentRequest request, int count, CancellationToken cancellationToken)
    {
        var failure = Failure(result, request, count, cancellationToken);
        _driver.Tracing.Rented(request, result.Waited, failure);
        return failure;
    }

    private Exception Failure(in RentResult<NpgsqlConnection> result, in RentRequest request, int count, CancellationToken cancellationToken)
    {
        if (result.Outcome == RentOutcome.Cancelled)
            return new OperationCanceledException(cancellationToken);
        if (result.Outcome == RentOutcome.PoolClosed)
            return Disposed();
        var statistics = GetStatistics();
        switch (result.Outcome)
        {
            case RentOutcome.TimedOut:
                var leases = GetLeases();
                return new PoolTimeoutException(PoolMessages.TimedOut(statistics, result.Waited, leases, _capacity.MaxConnections), statistics, result.Waited, leases, statistics.LastOpenError);
            case RentOutcome.QueueFull:
                return new PoolQueueFullException(PoolMessages.QueueFull(statistics, _options.MaxWaiting), statistics);
            case RentOutcome.ConnectFailed:
                return new PoolConnectException(PoolMessages.ConnectFailed(statistics, result.Error!), statistics, result.Error!);
            case RentOutcome.CouldDeadlock:
                return new InvalidOperationException(PoolMessages.Nested(Name, request.CallSite));
            case RentOutcome.TooManyForPool:
                return new ArgumentOutOfRangeException(nameof(count), count, PoolMessages.TooMany(Name, count, statistics.MaxSize));
            default:
                throw new InvalidOperationException($"Unexpected outcome {result.Outcome}.");
        }
    }

    private RentRequest Request(in RentOptions options, string callerFile, int callerLine)
    {
        var request = new RentRequest(options.Label, callerFile, callerLine);
        return _keepsDetails ? request with { Details = Details(request) } : request;
    }

    private RentDetails Details(in RentRequest request)
    {
        var flow = _watchesFlows ? _flow.Value : null;
        var isNested = flow is { HoldsLease: true };
        if (_watchesFlows && !isNested)
            _flow.Value = flow = new RentFlow();
        if (isNested && _options.NestedRents == NestedRentPolicy.Warn)
            _events.NestedRent(request);
        return new RentDetails
        {
            Flow = flow,
            RefuseWhenFull = isNested && _options.NestedRents == NestedRentPolicy.ThrowIfFull,
            StackTrace = _options.CaptureRentStackTraces ? Environment.StackTrace : null,
        };
    }

    private TimeSpan TimeoutOf(in RentOptions options)
    {
        if (!Enum.IsDefined(options.Priority))
            throw new ArgumentOutOfRangeException(nameof(options), options.Priority, "Priority must be High, Normal or Low.");
        return options.Timeout is { } timeout ? CheckTimeout(timeout, nameof(options)) : _options.RentTimeout;
    }

    private static TimeSpan CheckTimeout(TimeSpan timeout, string parameter)
        => timeout >= TimeSpan.Zero && timeout <= ConnectionPoolOptionsValidation.Longest || timeout == Timeout.InfiniteTimeSpan
            ? timeout
            : throw new ArgumentOutOfRangeException(parameter, timeout, "The timeout must be from zero to 24 days, or infinite.");
}
