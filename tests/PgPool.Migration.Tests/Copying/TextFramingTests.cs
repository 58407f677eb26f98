using PgPool.Migration.Copying;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class TextFramingTests
{
    private static byte[] Whole => "1\ta\\nb\n\n2\t\\N\n\\\\.\n"u8.ToArray();

    [Fact]
    public void Advance_InTwoChunksCutAnywhere_CountsRows()
    {
        for (var cut = 0; cut <= Whole.Length; cut++)
        {
            var framing = new TextFraming();
            framing.Advance(Whole.AsSpan(0, cut));
            framing.Advance(Whole.AsSpan(cut));

            framing.End();
            Assert.Equal(4, framing.Rows);
        }
    }

    [Fact]
    public void End_CutWithinARow_RowsAreMissing()
    {
        for (var cut = 1; cut < Whole.Length; cut++)
        {
            var framing = new TextFraming();
            framing.Advance(Whole.AsSpan(0, cut));

            Assert.Equal(Whole[cut - 1] == '\n', framing.IsComplete);
            if (!framing.IsComplete)
                Assert.Throws<InvalidDataException>(framing.End);
        }
    }

    [Fact]
    public void End_NoRows_IsComplete()
    {
        var framing = new TextFraming();
        framing.Advance([]);

        framing.End();
        Assert.Equal(0, framing.Rows);
    }
}
