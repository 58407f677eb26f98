using System.Buffers.Binary;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Writes a binary COPY stream by hand, whole or broken.</summary>
internal sealed class BinaryStreamBuilder
{
    private readonly List<byte> _bytes = [];

    public byte[] Bytes => [.. _bytes];

    /// <summary>The header as servers send it.</summary>
    public BinaryStreamBuilder Header(int flags = 0, int extensionLength = 0) =>
        Raw("PGCOPY\n"u8.ToArray()).Raw(0xFF, 0x0D, 0x0A, 0x00).Int32(flags).Int32(extensionLength).Raw(new byte[Math.Max(extensionLength, 0)]);

    /// <summary>A row of fields of these lengths, -1 for NULL. What is in them looks like a trailer.</summary>
    public BinaryStreamBuilder Row(params int[] lengths)
    {
        Int16((short)lengths.Length);
        foreach (var length in lengths)
        {
            Int32(length);
            Raw([.. Enumerable.Repeat((byte)0xFF, Math.Max(length, 0))]);
        }

        return this;
    }

    public BinaryStreamBuilder Trailer() => Int16(-1);

    public BinaryStreamBuilder Int16(short number)
    {
        var bytes = new byte[sizeof(short)];
        BinaryPrimitives.WriteInt16BigEndian(bytes, number);
        return Raw(bytes);
    }

    public BinaryStreamBuilder Int32(int number)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return Raw(bytes);
    }

    public BinaryStreamBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }
}
