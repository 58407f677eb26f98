using Npgsql;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>The source's end of a relay: a COPY TO that runs.</summary>
internal sealed class CopyExport
{
    private readonly NpgsqlRawCopyStream _stream;
    private volatile bool _isOver;

    private CopyExport(NpgsqlRawCopyStream stream)
    {
        _stream = stream;
        _stream.ReadTimeout = Timeout.Infinite;
    }

    /// <summary>Takes no token: cancelled while it waits for a lock, Npgsql would drop the connection and leave the backend waiting.</summary>
    /// <remarks>
    /// The server says that it has begun together with its first notice, its first 8 KiB of rows, or its end. Until then, only then, Npgsql's Command
    /// Timeout is in force.
    /// </remarks>
    /// <exception cref="CopyFailedException">The source said no.</exception>
    public static async Task<CopyExport> BeginAsync(NpgsqlConnection connection, string copyTo, CopyFormat format)
    {
        try
        {
            if (format == CopyFormat.Binary)
                return new(await connection.BeginRawBinaryCopyAsync(copyTo, CancellationToken.None).ConfigureAwait(false));
            // Below the text reader is the same stream as of the binary format; the reader, which would decode, holds nothing to dispose.
            var reader = await connection.BeginTextExportAsync(copyTo, CancellationToken.None).ConfigureAwait(false);
            return new((NpgsqlRawCopyStream)reader.BaseStream);
        }
        catch (Exception exception)
        {
            throw new CopyFailedException(CopySide.Source, exception);
        }
    }

    /// <summary>Fills the buffer, blocking; at the end of the rows less than all of it, then nothing.</summary>
    /// <exception cref="CopyFailedException">The source failed.</exception>
    public int Fill(Span<byte> buffer)
    {
        try
        {
            // One read gives a row, and no more than Npgsql's buffer.
            int filled = 0, read;
            while (filled < buffer.Length && (read = Read(buffer[filled..])) > 0)
                filled += read;
            return filled;
        }
        catch (Exception exception)
        {
            _isOver = true;
            throw new CopyFailedException(CopySide.Source, exception);
        }
    }

    /// <summary>After the end was read: gives the connection free.</summary>
    public ValueTask CloseAsync() => _stream.DisposeAsync();

    /// <summary>After a failure, whatever it was: has the source end its COPY and gives the connection free. Does not throw.</summary>
    /// <remarks>Disposing the stream would read the rest of the table first, on a blocked thread.</remarks>
    /// <param name="filling">A fill under way, which this ends; it may fail.</param>
    public async Task AbandonAsync(Task filling)
    {
        // Npgsql opens another connection for it, with blocking I/O, which takes its time where the server is deaf.
        var interrupting = _isOver ? Task.CompletedTask : Task.Factory.StartNew(
            Interrupt, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await filling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await DrainAsync().ConfigureAwait(false);
            await CloseAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The interrupted COPY ends with an error, and Npgsql closes it then.
        }

        // Where the COPY ended by itself, the request must not hit the next command: the server ignores it while there is none.
        await interrupting.ConfigureAwait(false);
    }

    private int Read(Span<byte> buffer)
    {
        var read = _stream.Read(buffer);
        _isOver = read == 0;
        return read;
    }

    /// <summary>Reads away what was on its way when the source was interrupted.</summary>
    private async Task DrainAsync()
    {
        var scratch = new byte[8192];
        while (!_isOver)
            _isOver = await _stream.ReadAsync(scratch, CancellationToken.None).ConfigureAwait(false) == 0;
    }

    private void Interrupt()
    {
        try
        {
            _stream.Cancel();
        }
        catch (Exception)
        {
            // It has ended meanwhile, or the server is out of reach.
        }
    }
}
