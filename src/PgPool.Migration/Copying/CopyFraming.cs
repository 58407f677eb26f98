using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>Follows a COPY stream, cut into chunks anywhere, to count its rows and to know whether it is whole.</summary>
/// <remarks>
/// Npgsql tells the row count of a COPY on neither side, and PostgreSQL commits a stream that was cut between two rows without a word.
/// </remarks>
internal abstract class CopyFraming
{
    /// <summary>Rows so far.</summary>
    public abstract long Rows { get; }

    /// <summary>Whether the stream may end here.</summary>
    public abstract bool IsComplete { get; }

    public static CopyFraming Of(CopyFormat format) => format == CopyFormat.Binary ? new BinaryFraming() : new TextFraming();

    /// <exception cref="InvalidDataException">No COPY stream is like that.</exception>
    public abstract void Advance(ReadOnlySpan<byte> chunk);

    /// <summary>The stream has ended.</summary>
    /// <exception cref="InvalidDataException">It is not whole.</exception>
    public void End()
    {
        if (!IsComplete)
            throw new InvalidDataException($"The COPY stream breaks off after {Rows} rows: rows are missing.");
    }
}
