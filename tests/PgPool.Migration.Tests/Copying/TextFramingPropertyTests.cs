using System.Text;
using CsCheck;
using PgPool.Migration.Copying;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class TextFramingPropertyTests
{
    // Rows as COPY TO writes them.
    private static readonly Gen<byte[][]> Rows =
        Gen.OneOf(Gen.Const("\\N"), Generators.Text.Select(Escape)).Array[0, 4].Array[0, 6]
            .Select(static rows => rows.Select(static row => Encoding.UTF8.GetBytes($"{string.Join('\t', row)}\n")).ToArray());

    [Fact]
    public void Advance_CutIntoChunksAnywhere_CountsTheSameRowsAndEnds() =>
        Rows.SelectMany(rows => Generators.Chunks([.. rows.SelectMany(static row => row)]).Select(chunks => (chunks, rows.Length)))
            .Sample(static (chunks, rows) => Assert.Equal((rows, true), Follow(chunks)));

    [Fact]
    public void End_CutOffWithinARow_IsRefused() =>
        Gen.Select(Rows, Generators.Text.Select(Escape).Where(static text => text.Length > 0))
            .Select(static (rows, text) => rows.SelectMany(static row => row).Concat(Encoding.UTF8.GetBytes(text)).ToArray())
            .SelectMany(Generators.Chunks).Sample(static chunks => Assert.False(Follow(chunks).IsComplete));

    [Fact]
    public void End_CutOffAnywhere_IsAcceptedOnlyBetweenRows() =>
        Rows.SelectMany(rows => Gen.Int[0, rows.Sum(static row => row.Length)].Select(length => (rows, length)))
        .Sample(static (rows, length) =>
        {
            var ends = rows.Aggregate(new List<int> { 0 }, static (ends, row) => [.. ends, ends[^1] + row.Length]);
            byte[] cut = [.. rows.SelectMany(static row => row).Take(length)];
            Assert.Equal((ends.Count(end => end > 0 && end <= length), ends.Contains(length)), Follow([cut]));
        });

    private static (int Rows, bool IsComplete) Follow(byte[][] chunks)
    {
        var framing = new TextFraming();
        foreach (var chunk in chunks)
            framing.Advance(chunk);
        var refused = Record.Exception(framing.End);
        Assert.Equal(framing.IsComplete, refused is null);
        return ((int)framing.Rows, framing.IsComplete);
    }

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
        .Replace("\r", "\\r", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal);
}
