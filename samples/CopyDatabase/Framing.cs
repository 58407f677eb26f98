using System.Buffers.Binary;

namespace CopyDatabase;

/// <summary>Walks the framing of a binary COPY stream, cut into chunks anywhere: a header, tuples, a trailer.</summary>
/// <remarks>
/// Npgsql tells the row count of a raw COPY on neither side, and PostgreSQL commits a stream that was cut between two tuples without a
/// word. Rows and completeness both come from here, for a few nanoseconds a field.
/// </remarks>
internal sealed class Framing
{
    // The stream is numbers, with bytes to skip between them. The first number stands after the signature (11 bytes) and the flags (4): the
    // length of the header's extension. Later ones are a tuple's field count (2 bytes) or a field's length (4).
    private int _skip = 11 + 4;
    private int _size = sizeof(int);
    private int _fieldsLeft;

    // A number that a chunk's end cuts in two is gathered byte by byte.
    private int _gathered;
    private int _gatheredBytes;

    public long Rows { get; private set; }

    /// <summary>The trailer was seen: nothing is missing.</summary>
    public bool IsComplete { get; private set; }

    public void Advance(ReadOnlySpan<byte> chunk)
    {
        while (true)
        {
            var skipped = Math.Min(_skip, chunk.Length);
            _skip -= skipped;
            chunk = chunk[skipped..];
            if (chunk.IsEmpty)
                return;
            if (IsComplete)
                throw new InvalidDataException("The COPY stream goes on after its trailer.");

            if (TryTakeNumber(ref chunk, out var number))
                Interpret(number);
        }
    }

    private bool TryTakeNumber(ref ReadOnlySpan<byte> chunk, out int number)
    {
        if (_gatheredBytes == 0 && chunk.Length >= _size)
        {
            number = _size == sizeof(short) ? BinaryPrimitives.ReadInt16BigEndian(chunk) : BinaryPrimitives.ReadInt32BigEndian(chunk);
            chunk = chunk[_size..];
            return true;
        }

        _gathered = (_gathered << 8) | chunk[0];
        chunk = chunk[1..];
        number = _size == sizeof(short) ? (short)_gathered : _gathered;
        _gatheredBytes = (_gatheredBytes + 1) % _size;
        return _gatheredBytes == 0;
    }

    private void Interpret(int number)
    {
        if (_size == sizeof(int))
        {
            _skip = Math.Max(number, 0); // -1 is NULL
            _fieldsLeft = Math.Max(_fieldsLeft - 1, 0);
        }
        else if (number < 0)
        {
            IsComplete = true;
        }
        else
        {
            Rows++;
            _fieldsLeft = number;
        }

        _size = _fieldsLeft > 0 ? sizeof(int) : sizeof(short);
    }
}
