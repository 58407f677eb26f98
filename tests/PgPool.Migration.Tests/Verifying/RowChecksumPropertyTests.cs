using System.Numerics;
using CsCheck;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Verifying;
using Xunit;

namespace PgPool.Migration.Tests.Verifying;

public sealed class RowChecksumPropertyTests
{
    private static readonly Gen<string> Types = Gen.OneOf(
        "integer", "numeric", "numeric(10,2)", "numeric(10,2)[]", "timestamp(3) with time zone", "interval(0)", "character varying(5)",
        "character(5)",
        "bit varying(3)", "bit(3)", "public.\"odd(5)\"", "text");

    [Fact]
    public void Text_OfTheTarget_IsTheColumnAsItIs() => Gen.Select(Generators.Name, Types).Sample(static (name, type) =>
    {
        var reader = new SqlReader(RowChecksum.Text(new CopyColumn(name, "unused", type), isSource: false));
        Assert.Equal(name, reader.Name());
        reader.Expect("::text");
        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void Text_OfTheSource_IsRoundedNeverCut() => Gen.Select(Generators.Name, Types, Gen.Bool).Sample(static (name, type, isCast) =>
    {
        var read = isCast ? $"{Sql.Name(name)}::pg_catalog.x" : Sql.Name(name);
        var text = RowChecksum.Text(new CopyColumn(name, read, type), isSource: true);

        var reader = new SqlReader(text);
        Assert.Equal(name, reader.Name());
        if (isCast)
            reader.Expect("::pg_catalog.x");
        if (type is "numeric(10,2)" or "numeric(10,2)[]" or "timestamp(3) with time zone" or "interval(0)")
            reader.Expect($"::{type}");
        reader.Expect("::text");
        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void TableSum_CutAndOrderedInAnyWay_IsTheSame() =>
        Gen.Long.Array[0, 12]
            .SelectMany(rows => Gen.Select(Generators.Shuffled(rows), Gen.Int[1, 5]).Select((other, size) => (rows, other, size)))
            .Sample(static (rows, other, size) =>
            {
                var sum = Sum(rows);
                Assert.Equal(sum, other.Chunk(size).Select(Sum).Aggregate(default(TableSum), static (left, right) => left + right));

                // One that is there twice is not the same as none.
                if (rows.Length > 0)
                    Assert.NotEqual(Sum([.. rows, rows[0], rows[0]]), sum);
            });

    private static TableSum Sum(long[] hashes) => new(hashes.Length, hashes.Aggregate(BigInteger.Zero, static (sum, hash) => sum + hash));
}
