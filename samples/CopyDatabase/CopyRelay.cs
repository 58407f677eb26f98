using Npgsql;

namespace CopyDatabase;

/// <summary>Passes the bytes of a COPY TO on to a COPY FROM, undecoded.</summary>
internal static class CopyRelay
{
    // Larger than Npgsql's write buffer, so that a chunk goes to the socket as it is instead of being copied once more.
    private const int ChunkSize = 256 * 1024;

    /// <summary>
    /// Returns with everything sent and accepted by the target, or throws with both COPYs cancelled. The target's transaction is the
    /// caller's; <paramref name="progress"/> gets the bytes and rows of each chunk.
    /// </summary>
    public static async Task RunAsync(
        NpgsqlConnection source, string copyTo, NpgsqlConnection target, string copyFrom, Action<int, long> progress,
        CancellationToken cancellationToken)
    {
        var export = await source.BeginRawBinaryCopyAsync(copyTo, cancellationToken);
        NpgsqlRawCopyStream? import = null;
        var writing = Task.CompletedTask;

        // Reads take no token (see below): what interrupts them is a request to the server to cancel the query.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var interruption = stop.Token.UnsafeRegister(_ => Interrupt(export), null);
        try
        {
            import = await target.BeginRawBinaryCopyAsync(copyFrom, cancellationToken);

            var framing = new Framing();
            var filling = GC.AllocateUninitializedArray<byte>(ChunkSize);
            var sending = GC.AllocateUninitializedArray<byte>(ChunkSize);
            int length;
            while ((length = await FillAsync(export, filling)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var rowsBefore = framing.Rows;
                framing.Advance(filling.AsSpan(0, length));
                await writing; // the chunk before went out while this one came in
                (filling, sending) = (sending, filling);
                writing = import.WriteAsync(sending.AsMemory(0, length), CancellationToken.None).AsTask();
                progress(length, framing.Rows - rowsBefore);
            }

            // The source is read to its end: a request to cancel would hit what the connection does next.
            await interruption.DisposeAsync();
            await writing;
            if (!framing.IsComplete)
                throw new InvalidDataException($"\"{copyTo}\" ended without its trailer: rows are missing.");
            await import.DisposeAsync(); // sends CopyDone: of all ways out of here, only this one may
        }
        catch
        {
            // Disposing the import now would complete it with what was sent so far; disposing the export alone would read it to its end.
            await Quietly(() => writing);
            if (import is not null)
                await Quietly(import.CancelAsync);
            await Quietly(stop.CancelAsync); // not a second request where the token has made one
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            await Quietly(() => export.DisposeAsync().AsTask());
        }
    }

    private static async ValueTask<int> FillAsync(NpgsqlRawCopyStream export, Memory<byte> buffer)
    {
        // One read gives one row at most. With a token, each would cost more, and a cancelled one breaks the connection.
        int filled = 0, read;
        while (filled < buffer.Length && (read = await export.ReadAsync(buffer[filled..], CancellationToken.None)) > 0)
            filled += read;
        return filled;
    }

    private static void Interrupt(NpgsqlRawCopyStream export)
    {
        try
        {
            export.Cancel();
        }
        catch (Exception)
        {
            // It ended meanwhile, or the server is gone: neither is news to whoever cancels.
        }
    }

    // The error that led here is the one to tell; a connection that broke by it has nothing left to cancel.
    private static async Task Quietly(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception)
        {
        }
    }
}
