namespace PgPool.Migration.Copying;

/// <summary>What the target has accepted.</summary>
/// <param name="Rows">Rows, as counted in the stream.</param>
/// <param name="Bytes">Bytes of the stream, its framing included.</param>
internal readonly record struct CopyTotals(long Rows, long Bytes);
