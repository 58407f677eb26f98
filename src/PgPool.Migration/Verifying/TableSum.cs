using System.Numerics;

namespace PgPool.Migration.Verifying;

/// <summary>What rows add up to, in whichever order and however cut they are read.</summary>
/// <param name="Rows">How many there are.</param>
/// <param name="Hashes">The sum of their hashes. A sum and not an exclusive or: of that, a row that is there twice would vanish. Null:
/// there are rows that cannot be in the target.</param>
internal readonly record struct TableSum(long Rows, BigInteger? Hashes)
{
    public static TableSum operator +(TableSum left, TableSum right) => new(left.Rows + right.Rows, left.Hashes + right.Hashes);
}
