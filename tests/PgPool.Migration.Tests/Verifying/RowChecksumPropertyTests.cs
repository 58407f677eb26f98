using System.Numerics;
using CsCheck;
using PgPool.Migration.Verifying;
using Xunit;

namespace PgPool.Migration.Tests.Verifying;

public sealed class RowChecksumPropertyTests
{
    [Fact]
    public void TableSum_CutAndOrderedInAnyWay_IsTheSame() =>
        Gen.Long.Array[0, 12]
            .SelectMany(rows => Gen.Select(Generators.Shuffled(rows), Gen.Int[1, 5]).Select((other, size) => (rows, other, size)))
            .Sample(static (rows, other, size) =>
            {
                var sum = Sum(rows);
                Assert.Equal(sum, other.Chunk(size).Select(Sum).Aggregate(Sum([]), static (left, right) => left + right));

                // One that is there twice is not the same as none.
                if (rows.Length > 0)
                    Assert.NotEqual(Sum([.. rows, rows[0], rows[0]]), sum);
            });

    private static TableSum Sum(long[] hashes) => new(hashes.Length, hashes.Aggregate(BigInteger.Zero, static (sum, hash) => sum + hash));
}
