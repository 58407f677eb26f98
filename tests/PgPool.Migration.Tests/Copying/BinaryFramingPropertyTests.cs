using CsCheck;
using PgPool.Migration.Copying;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class BinaryFramingPropertyTests
{
    // Whole streams, with the number of their rows. What fields hold may look like a length or a trailer.
    private static readonly Gen<(byte[] Bytes, int Rows)> Whole =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 0xFFFF], Gen.Int[0, 4].SelectMany(fields =>
            Gen.OneOf(Gen.Const((byte[]?)null), Gen.OneOf<byte>(0, 1, 4, 0xFF).Array[0, 9].Select(static bytes => (byte[]?)bytes))
                .Array[fields].Array[0, 6]))
            .Select(static (extension, flags, rows) => (Build(extension, flags, rows), rows.Length));

    [Fact]
    public void Advance_CutIntoChunksAnywhere_CountsTheSameRowsAndEnds() =>
        Whole.SelectMany(stream => Generators.Chunks(stream.Bytes).Select(chunks => (chunks, stream.Rows))).Sample(static (chunks, rows) =>
        {
            var framing = new BinaryFraming();
            foreach (var chunk in chunks)
                framing.Advance(chunk);
            framing.End();
            Assert.Equal(rows, framing.Rows);
        });

    [Fact]
    public void End_CutOffAnywhere_IsRefused() =>
        Whole.SelectMany(stream => Gen.Int[0, stream.Bytes.Length - 1].Select(length => stream.Bytes[..length]))
            .SelectMany(Generators.Chunks).Sample(static chunks =>
            {
                var framing = new BinaryFraming();
                foreach (var chunk in chunks)
                    framing.Advance(chunk);
                Assert.False(framing.IsComplete);
                Assert.Throws<InvalidDataException>(framing.End);
            });

    [Fact]
    public void Advance_AnythingBehindTheTrailer_IsRefused() =>
        Gen.Select(Whole, Gen.Byte.Array[1, 5]).SelectMany((stream, more) => Generators.Chunks([.. stream.Bytes, .. more]))
            .Sample(static chunks => Assert.Contains(
                "after its trailer", Assert.Throws<InvalidDataException>(() => Follow(chunks)).Message, StringComparison.Ordinal));

    [Fact]
    public void Advance_DamagedAnywhere_SaysTheSameHoweverItIsCut() =>
        Gen.Select(Whole, Gen.Int[0, 1000], Gen.OneOf<byte>(0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF)).SelectMany(static (stream, where, what) =>
        {
            var bytes = stream.Bytes.ToArray();
            bytes[where % bytes.Length] = what;
            return Generators.Chunks(bytes).Select(chunks => (bytes, chunks));
        }).Sample(static (bytes, chunks) => Assert.Equal(Verdict([bytes]), Verdict(chunks)), iter: 1000);

    private static string Verdict(byte[][] chunks)
    {
        try
        {
            return $"{Follow(chunks)} rows";
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    private static long Follow(byte[][] chunks)
    {
        var framing = new BinaryFraming();
        foreach (var chunk in chunks)
            framing.Advance(chunk);
        framing.End();
        return framing.Rows;
    }

    private static byte[] Build(int extension, int flags, byte[]?[][] rows)
    {
        var stream = new BinaryStreamBuilder().Header(flags, extension);
        foreach (var row in rows)
        {
            stream.Int16((short)row.Length);
            foreach (var field in row)
                stream.Int32(field?.Length ?? -1).Raw(field ?? []);
        }

        return stream.Trailer().Bytes;
    }
}
