using Npgsql;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>The target's end of a relay: a COPY FROM that runs.</summary>
internal sealed class CopyImport
{
    private readonly NpgsqlRawCopyStream _stream;
    private Task? _completing;

    private CopyImport(NpgsqlRawCopyStream stream)
    {
        _stream = stream;
        _stream.WriteTimeout = Timeout.Infinite;
        _stream.ReadTimeout = Timeout.Infinite; // of the answer at the end: triggers and deferred work take their time
    }

    /// <inheritdoc cref="CopyExport.BeginAsync"/>
    /// <exception cref="CopyFailedException">The target said no.</exception>
    public static async Task<CopyImport> BeginAsync(NpgsqlConnection connection, string copyFrom, CopyFormat format)
    {
        try
        {
            if (format == CopyFormat.Binary)
                return new(await connection.BeginRawBinaryCopyAsync(copyFrom, CancellationToken.None).ConfigureAwait(false));
            // As with the export: the stream below the writer, which would encode.
            var writer = await connection.BeginTextImportAsync(copyFrom, CancellationToken.None).ConfigureAwait(false);
            return new((NpgsqlRawCopyStream)writer.BaseStream);
        }
        catch (Exception exception)
        {
            throw new CopyFailedException(CopySide.Target, exception);
        }
    }

    /// <summary>Sends a chunk, blocking. It fails only where the connection is broken: Npgsql does not read the target's answer before the end.</summary>
    /// <exception cref="CopyFailedException">The target failed.</exception>
    public void Write(ReadOnlySpan<byte> chunk)
    {
        try
        {
            _stream.Write(chunk);
        }
        catch (Exception exception)
        {
            throw new CopyFailedException(CopySide.Target, exception);
        }
    }

    /// <summary>Ends the COPY; the target has accepted everything when this completes, and its connection is free.</summary>
    /// <exception cref="CopyFailedException">The target refused a row, or failed.</exception>
    public Task CompleteAsync() => _completing = CompleteCoreAsync();

    /// <summary>After a failure, whatever it was: has the target discard the rows and gives the connection free. Does not throw.</summary>
    /// <param name="writing">A write under way, which is awaited; it may fail.</param>
    /// <returns>What the target had against the rows it got, if anything: it is not heard of before.</returns>
    public async Task<CopyFailedException?> AbandonAsync(Task writing)
    {
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            // Disposing the stream would complete the COPY with the rows that it has.
            await (_completing ?? _stream.CancelAsync()).ConfigureAwait(false);
            return null;
        }
        catch (PostgresException refusal)
        {
            return new CopyFailedException(CopySide.Target, refusal);
        }
        catch (Exception)
        {
            // The connection is broken, or the end has failed already: what led here tells.
            return null;
        }
    }

    private async Task CompleteCoreAsync()
    {
        try
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw new CopyFailedException(CopySide.Target, exception);
        }
    }
}
