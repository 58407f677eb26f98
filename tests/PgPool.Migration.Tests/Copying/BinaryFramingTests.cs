using PgPool.Migration.Copying;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class BinaryFramingTests
{
    private static readonly BinaryStreamBuilder Whole = new BinaryStreamBuilder().Header(extensionLength: 3).Row(1, -1, 0, 9).Row(0, 0, 0, 0)
        .Row(-1, -1, -1, -1).Row(300, 2, -1, 1).Trailer();

    [Fact]
    public void Advance_WholeStream_CountsRowsAndIsComplete()
    {
        var framing = new BinaryFraming();

        framing.Advance(Whole.Bytes);

        framing.End();
        Assert.Equal(4, framing.Rows);
    }

    [Fact]
    public void Advance_InTwoChunksCutAnywhere_CountsTheSame()
    {
        var bytes = Whole.Bytes;
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var framing = new BinaryFraming();
            framing.Advance(bytes.AsSpan(0, cut));
            framing.Advance(bytes.AsSpan(cut));

            framing.End();
            Assert.Equal(4, framing.Rows);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Advance_InChunksOfOneSize_CountsTheSame(int size)
    {
        var framing = new BinaryFraming();

        foreach (var chunk in Whole.Bytes.Chunk(size))
            framing.Advance(chunk);

        framing.End();
        Assert.Equal(4, framing.Rows);
    }

    [Fact]
    public void End_CutAnywhereBeforeTheEnd_RowsAreMissing()
    {
        var bytes = Whole.Bytes;
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            var framing = new BinaryFraming();
            framing.Advance(bytes.AsSpan(0, cut));

            Assert.False(framing.IsComplete, $"complete after {cut} of {bytes.Length} bytes");
            Assert.Throws<InvalidDataException>(framing.End);
        }
    }

    [Fact]
    public void Advance_AnythingAfterTheTrailer_IsRefused()
    {
        var framing = new BinaryFraming();
        framing.Advance(Whole.Bytes);
        framing.Advance([]);

        Assert.Contains("after its trailer", Assert.Throws<InvalidDataException>(() => framing.Advance([0])).Message);

        var inOne = new BinaryFraming();
        Assert.Throws<InvalidDataException>(() => inOne.Advance([.. Whole.Bytes, 0]));
    }

    [Fact]
    public void Advance_NoRows_IsComplete()
    {
        var framing = new BinaryFraming();

        framing.Advance(new BinaryStreamBuilder().Header().Trailer().Bytes);

        framing.End();
        Assert.Equal(0, framing.Rows);
    }

    [Fact]
    public void Advance_RowsWithoutColumns_AreCounted()
    {
        var framing = new BinaryFraming();

        framing.Advance(new BinaryStreamBuilder().Header().Row().Row().Row().Trailer().Bytes);

        framing.End();
        Assert.Equal(3, framing.Rows);
    }

    [Fact]
    public void Advance_LongField_IsSkippedWithoutBeingGathered()
    {
        var framing = new BinaryFraming();
        framing.Advance(new BinaryStreamBuilder().Header().Int16(1).Int32(int.MaxValue).Bytes);
        var zeros = new byte[1 << 20];
        for (long left = int.MaxValue; left > 0; left -= zeros.Length)
            framing.Advance(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));

        framing.Advance(new BinaryStreamBuilder().Trailer().Bytes);

        framing.End();
        Assert.Equal(1, framing.Rows);
    }

    public static TheoryData<string, byte[]> Broken => new()
    {
        { "does not begin", "PGCOPX\n"u8.ToArray() },
        { "does not begin", [0] },
        { "flags", new BinaryStreamBuilder().Header(flags: 1 << 16).Bytes },
        { "extension", new BinaryStreamBuilder().Header(extensionLength: -1).Bytes },
        { "-2 bytes", new BinaryStreamBuilder().Header().Int16(1).Int32(-2).Bytes },
        { "2 fields, and the first one 1", new BinaryStreamBuilder().Header().Row(1).Row(1, 1).Bytes },
        { "0 fields, and the first one 1", new BinaryStreamBuilder().Header().Row(1).Row().Bytes },
        { "-2 fields", new BinaryStreamBuilder().Header().Int16(-2).Bytes },
        { "-2 fields", new BinaryStreamBuilder().Header().Row(1).Int16(-2).Bytes },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Advance_NoCopyStream_IsRefused(string reason, byte[] stream)
    {
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => new BinaryFraming().Advance(stream)).Message);

        var byByte = new BinaryFraming();
        Assert.Throws<InvalidDataException>(() => Array.ForEach(stream, b => byByte.Advance([b])));
    }

    [Fact]
    public void Advance_LowFlags_AreOfNoConcern()
    {
        var framing = new BinaryFraming();

        framing.Advance(new BinaryStreamBuilder().Header(flags: 0xFFFF).Row(1).Trailer().Bytes);

        framing.End();
    }
}
