namespace PgPool.Migration.Copying;

/// <summary>Text: COPY escapes the newlines of values, so that each one in the stream ends a row.</summary>
internal sealed class TextFraming : CopyFraming
{
    private const byte Newline = (byte)'\n';

    private long _rows;
    private byte _last = Newline;

    public override long Rows => _rows;

    public override bool IsComplete => _last == Newline;

    public override void Advance(ReadOnlySpan<byte> chunk)
    {
        if (chunk.IsEmpty)
            return;
        _rows += chunk.Count(Newline);
        _last = chunk[^1];
    }
}
