using System.Runtime.CompilerServices;

namespace PgPool;

// Work spread over leases.
public sealed partial class ConnectionPool
{
    /// <summary>
    /// Runs body once per item on at most <paramref name="degree"/> workers (never more than <see cref="MaxSize"/>); each worker keeps one lease for
    /// its whole run. The first worker's lease is waited for as in <see cref="RentAsync(CancellationToken, string, int)"/>, the others join as
    /// connections come free. The first failure stops the others and is thrown; all leases are returned.
    /// </summary>
    /// <remarks>A session is not reset between two items of a worker: what body sets, the next item on that worker finds.</remarks>
    /// <param name="items">The items; taken one at a time, never by two workers at once.</param>
    /// <param name="degree">Workers, at most: 1 or more.</param>
    /// <param name="body">What to do; its token is cancelled when another worker has failed.</param>
    /// <param name="cancellationToken">Stops the workers.</param>
    /// <param name="callerFile">Leave it to the compiler: shown in diagnostics.</param>
    /// <param name="callerLine">Leave it to the compiler: shown in diagnostics.</param>
    /// <exception cref="ArgumentOutOfRangeException">degree is below 1.</exception>
    /// <inheritdoc cref="Rent(RentOptions, CancellationToken, string, int)" path="/exception"/>
    public Task ForEachAsync<T>(IEnumerable<T> items, int degree, Func<ConnectionLease, T, CancellationToken, ValueTask> body,
        CancellationToken cancellationToken = default,
        [CallerFilePath] string callerFile = "", [CallerLineNumber] int callerLine = 0)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(body);
        ArgumentOutOfRangeException.ThrowIfLessThan(degree, 1);
        var workers = Math.Min(degree, MaxSize);
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        return new ForEachRun<T>(body,
            rentFirst: token => RentAsync(token, callerFile, callerLine),
            rentMore: token => RentAsync(new() { Timeout = Timeout.InfiniteTimeSpan }, token, callerFile, callerLine)).RunAsync(items, workers, cancellationToken);
    }
}
