using System.Buffers.Binary;

namespace PgPool.Migration.Copying;

/// <summary>Binary: a header, rows of fields that each tell their length, a trailer.</summary>
internal sealed class BinaryFraming : CopyFraming
{
    // The stream is numbers, with bytes to skip between them. A number is the header's (4 bytes), a row's field count (2) or a field's length (4).
    private int _size = sizeof(int);
    private long _skip;
    private long _rows;
    private int _fieldsLeft;
    private int _fieldsPerRow = -1;
    private bool _isComplete;
    private int _signatureRead;
    private Header _header = Header.Flags;

    // A number that a chunk's end cuts in two is gathered byte by byte.
    private int _gathered;
    private int _gatheredBytes;

    private enum Header
    {
        Flags,
        ExtensionLength,
        Over,
    }

    public override long Rows => _rows;

    public override bool IsComplete => _isComplete;

    // "PGCOPY\n\377\r\n\0"
    private static ReadOnlySpan<byte> Signature => [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00];

    public override void Advance(ReadOnlySpan<byte> chunk)
    {
        if (_signatureRead < Signature.Length)
            ReadSignature(ref chunk);

        while (true)
        {
            if (_skip >= chunk.Length)
            {
                _skip -= chunk.Length;
                return;
            }
            chunk = chunk[(int)_skip..];
            _skip = 0;
            if (_isComplete)
                throw new InvalidDataException("The COPY stream goes on after its trailer.");
            if (TryTakeNumber(ref chunk, out var number))
                Interpret(number);
        }
    }

    private void ReadSignature(ref ReadOnlySpan<byte> chunk)
    {
        var wanted = Signature[_signatureRead..];
        var length = Math.Min(wanted.Length, chunk.Length);
        if (!chunk[..length].SequenceEqual(wanted[..length]))
            throw new InvalidDataException("The stream does not begin as a binary COPY does.");
        _signatureRead += length;
        chunk = chunk[length..];
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
        if (_fieldsLeft > 0)
            BeginField(number);
        else if (_header == Header.Over)
            BeginRow(number);
        else
            ContinueHeader(number);
        _size = _fieldsLeft > 0 || _header != Header.Over ? sizeof(int) : sizeof(short);
    }

    private void BeginField(int length)
    {
        const int Null = -1;
        if (length < Null)
            throw new InvalidDataException($"Row {_rows} of the COPY stream has a field of {length} bytes.");
        _skip = Math.Max(length, 0);
        _fieldsLeft--;
    }

    private void BeginRow(int fields)
    {
        const int Trailer = -1;
        if (fields == Trailer)
        {
            _isComplete = true;
            return;
        }

        _rows++;
        if (_fieldsPerRow < 0)
            _fieldsPerRow = fields;
        if (fields != _fieldsPerRow || fields < 0)
            throw new InvalidDataException($"Row {_rows} of the COPY stream has {fields} fields, and the first one {_fieldsPerRow}.");
        _fieldsLeft = fields;
    }

    private void ContinueHeader(int number)
    {
        if (_header == Header.Flags)
        {
            // The high half is for what a reader must know to read on, such as the OIDs of old.
            if (number >>> 16 != 0)
                throw new InvalidDataException($"The COPY stream has the flags {number:x8}, which no server from 12 on sends.");
            _header = Header.ExtensionLength;
            return;
        }

        if (number < 0)
            throw new InvalidDataException($"The COPY stream has a header extension of {number} bytes.");
        _skip = number;
        _header = Header.Over;
    }
}
