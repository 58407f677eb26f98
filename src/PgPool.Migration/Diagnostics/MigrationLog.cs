using Microsoft.Extensions.Logging;

namespace PgPool.Migration.Diagnostics;

/// <summary>What a run logs. Event ids: 2000 to 2099, stable.</summary>
internal static partial class MigrationLog
{
    [LoggerMessage(2000, LogLevel.Information, "{RunId}: begins, {Partitions} partitions of {Tables} tables, {Workers} workers")]
    public static partial void Began(ILogger logger, string runId, int partitions, int tables, int workers);

    [LoggerMessage(2001, LogLevel.Information, "{RunId}: goes on, {Done} of {Partitions} partitions done, {Workers} workers, snapshot number {Epoch}")]
    public static partial void Resumed(ILogger logger, string runId, int done, int partitions, int workers, int epoch);

    [LoggerMessage(2002, LogLevel.Information, "{RunId}: ended, {Rows} rows, {Bytes} bytes, {Retries} retries")]
    public static partial void Ended(ILogger logger, string runId, long rows, long bytes, int retries);

    [LoggerMessage(2010, LogLevel.Warning, "{RunId}: {Partition} failed and is tried again in {Delay}")]
    public static partial void Retried(ILogger logger, string runId, string partition, TimeSpan delay, Exception exception);

    [LoggerMessage(2011, LogLevel.Warning, "{RunId}: {Partition} takes too long and is cut in two")]
    public static partial void Split(ILogger logger, string runId, string partition);

    [LoggerMessage(2012, LogLevel.Warning, "{RunId}: the server has too little left: one worker less")]
    public static partial void LoweredDegree(ILogger logger, string runId);

    [LoggerMessage(2013, LogLevel.Warning, "{RunId}: the answer to the COMMIT of {Partition} was lost; it took place: {Committed}")]
    public static partial void LostCommit(ILogger logger, string runId, string partition, bool committed);

    [LoggerMessage(2014, LogLevel.Warning, "{RunId}: {Partition}: the target refuses row {Row}: {Reason}")]
    public static partial void Rejected(ILogger logger, string runId, string partition, string row, string reason);

    [LoggerMessage(2017, LogLevel.Warning, "{RunId}: {Relation} is no part of {Table} any more: what was left of it is not copied")]
    public static partial void RelationGone(ILogger logger, string runId, string relation, string table);

    [LoggerMessage(2016, LogLevel.Debug, "{RunId}: other processes were not told the snapshot's new id")]
    public static partial void SnapshotNotTold(ILogger logger, string runId, Exception exception);

    [LoggerMessage(2015, LogLevel.Debug, "{RunId}: {Partition} done, {Rows} rows")]
    public static partial void Done(ILogger logger, string runId, string partition, long rows);
}
