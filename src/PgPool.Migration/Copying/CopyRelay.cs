using System.Buffers;
using Npgsql;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>Passes the bytes of a COPY TO on to a COPY FROM, undecoded, in constant memory however long the rows.</summary>
/// <remarks>
/// Npgsql reads a COPY row by row, and asynchronously each row costs an allocation and half as much CPU again. So a thread of the relay's own moves
/// the bytes, blocking. It reads and writes in turn: the sockets' buffers keep both servers busy meanwhile.
/// </remarks>
internal sealed class CopyRelay
{
    // Longer than Npgsql's write buffer, so that a chunk goes to the socket as it is instead of being copied once more.
    private const int ChunkSize = 256 * 1024;

    // For a server that answers, many times what it needs. One that does not is left with its COPY: the pool severs what comes back busy.
    private static readonly TimeSpan AbandonLimit = TimeSpan.FromSeconds(1.5);

    private readonly Task<CopyExport> _beginningExport;
    private readonly Task<CopyImport> _beginningImport;
    private readonly CopyFraming _framing;
    private readonly ICopyObserver _observer;
    private readonly TimeProvider _timeProvider;
    private readonly CancellationToken _cancellationToken;
    private Task _streaming = Task.CompletedTask;
    private long _bytes;

    private CopyRelay(
        Task<CopyExport> beginningExport, Task<CopyImport> beginningImport, CopyFraming framing, ICopyObserver observer,
        TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        _beginningExport = beginningExport;
        _beginningImport = beginningImport;
        _framing = framing;
        _observer = observer;
        _timeProvider = timeProvider;
        _cancellationToken = cancellationToken;
    }

    /// <summary>
    /// Returns when the target has accepted everything, or throws with both COPYs ended. Both transactions are the caller's. After a failure both
    /// connections are free for a ROLLBACK, but for one that broke, and for those of a server that did not answer, which stay busy.
    /// </summary>
    /// <param name="source">Runs <paramref name="copyTo"/>.</param>
    /// <param name="copyTo">COPY … TO STDOUT in <paramref name="format"/>.</param>
    /// <param name="target">Runs <paramref name="copyFrom"/>.</param>
    /// <param name="copyFrom">COPY … FROM STDIN in <paramref name="format"/>.</param>
    /// <param name="format">The streams' format.</param>
    /// <param name="observer">Told of each chunk.</param>
    /// <param name="cancellationToken">
    /// Ends both COPYs. One that has not begun leaves its connection busy instead: it waits for a lock (take the locks before), or has come neither to a
    /// notice nor to the first 8 KiB of rows, which the server gathers before it says that it has begun.
    /// </param>
    /// <param name="timeProvider">Tells how long the servers' answers to a failure are waited for; the system's by default.</param>
    /// <exception cref="CopyFailedException">One side failed, and this is the cause.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<CopyTotals> RunAsync(
        NpgsqlConnection source, string copyTo, NpgsqlConnection target, string copyFrom, CopyFormat format, ICopyObserver observer,
        CancellationToken cancellationToken, TimeProvider? timeProvider = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var relay = new CopyRelay(
            CopyExport.BeginAsync(source, copyTo, format), CopyImport.BeginAsync(target, copyFrom, format), CopyFraming.Of(format), observer,
            timeProvider ?? TimeProvider.System, cancellationToken);
        try
        {
            await relay.RelayAsync().ConfigureAwait(false);
            return new CopyTotals(relay._framing.Rows, relay._bytes);
        }
        catch (Exception failure)
        {
            var wasCancelled = cancellationToken.IsCancellationRequested;
            var refusal = await relay.AbandonAsync().ConfigureAwait(false);
            if (wasCancelled)
                throw new OperationCanceledException("The copy was cancelled.", failure, cancellationToken);
            if (refusal is not null && failure is not CopyFailedException)
                throw refusal;
            throw;
        }
    }

    private async Task RelayAsync()
    {
        var export = await _beginningExport.WaitAsync(_cancellationToken).ConfigureAwait(false);
        var import = await _beginningImport.WaitAsync(_cancellationToken).ConfigureAwait(false);
        _streaming = Task.Factory.StartNew(
            () => Stream(export, import), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await _streaming.WaitAsync(_cancellationToken).ConfigureAwait(false);
        await export.CloseAsync().ConfigureAwait(false);
        await import.CompleteAsync().WaitAsync(_cancellationToken).ConfigureAwait(false);
    }

    private void Stream(CopyExport export, CopyImport import)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            int length;
            while ((length = export.Fill(buffer.AsSpan(0, ChunkSize))) > 0)
            {
                _cancellationToken.ThrowIfCancellationRequested();
                var chunk = buffer.AsSpan(0, length);
                var rowsBefore = _framing.Rows;
                _framing.Advance(chunk);
                import.Write(chunk);
                _bytes += length;
                var observing = _observer.MovedAsync(length, _framing.Rows - rowsBefore, _cancellationToken);
                if (!observing.IsCompletedSuccessfully)
                    observing.AsTask().GetAwaiter().GetResult();
            }

            _framing.End();
        }
        catch (InvalidDataException exception)
        {
            throw new CopyFailedException(CopySide.Source, exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Ends both COPYs, at once, as far as their servers answer.</summary>
    /// <returns>What the target had against the rows it got, if anything.</returns>
    private async Task<CopyFailedException?> AbandonAsync()
    {
        var exportEnds = AbandonExportAsync();
        var importEnds = AbandonImportAsync();
        await Task.WhenAll(exportEnds, importEnds).WaitAsync(AbandonLimit, _timeProvider)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return importEnds.IsCompleted ? await importEnds.ConfigureAwait(false) : null;
    }

    private async Task AbandonExportAsync()
    {
        await ((Task)_beginningExport).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_beginningExport.IsCompletedSuccessfully)
            await (await _beginningExport.ConfigureAwait(false)).AbandonAsync(_streaming).ConfigureAwait(false);
    }

    private async Task<CopyFailedException?> AbandonImportAsync()
    {
        await ((Task)_beginningImport).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _beginningImport.IsCompletedSuccessfully
            ? await (await _beginningImport.ConfigureAwait(false)).AbandonAsync(_streaming).ConfigureAwait(false)
            : null;
    }
}
