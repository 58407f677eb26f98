namespace PgPool.Migration;

/// <summary>What a call did to one table.</summary>
/// <param name="Source">The table read.</param>
/// <param name="Target">The table written.</param>
/// <param name="Rows">Rows written by this call.</param>
/// <param name="Bytes">Bytes of its COPY streams.</param>
/// <param name="Partitions">Partitions done by this call.</param>
/// <param name="Elapsed">From the beginning of its first partition to the end of its last; zero if this call did none.</param>
public sealed record TableReport(TableName Source, TableName Target, long Rows, long Bytes, int Partitions, TimeSpan Elapsed);
