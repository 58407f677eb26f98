using Microsoft.Extensions.Logging;

namespace PgPool.Diagnostics;

/// <summary>The log messages. Event ids: 1000 to 1099 connections, 1100 to 1199 leases, 1200 to 1299 the pool.</summary>
internal static partial class PoolLog
{
    [LoggerMessage(1000, LogLevel.Debug, "PgPool '{Pool}': opened backend {Backend} in {Milliseconds:0.0} ms")]
    public static partial void Opened(ILogger logger, string pool, int backend, double milliseconds);

    [LoggerMessage(1001, LogLevel.Warning, "PgPool '{Pool}': could not open a connection; trying again while there is need")]
    public static partial void OpenFailed(ILogger logger, string pool, Exception exception);

    [LoggerMessage(1002, LogLevel.Error, "PgPool '{Pool}': the server refuses connections for good; rents fail until the cause is removed")]
    public static partial void OpenRefused(ILogger logger, string pool, Exception exception);

    [LoggerMessage(1003, LogLevel.Warning, "PgPool '{Pool}': the server has no place for another connection (53300); serving from those there are, trying again slowly. {Share}")]
    public static partial void ServerFull(ILogger logger, string pool, string share, Exception exception);

    [LoggerMessage(1004, LogLevel.Debug, "PgPool '{Pool}': closed backend {Backend}: {Reason} {Detail}")]
    public static partial void Closed(ILogger logger, string pool, int backend, CloseReason reason, string? detail);

    [LoggerMessage(1005, LogLevel.Warning, "PgPool '{Pool}': a session came back from a lease and its server says that it is read-only now: backend {Backend}")]
    public static partial void ServerReadOnly(ILogger logger, string pool, int backend);

    [LoggerMessage(1100, LogLevel.Warning, "PgPool '{Pool}': a lease came back with an open transaction, which was rolled back: label '{Label}', rented at {CallSite}, backend {Backend}")]
    public static partial void TransactionLeftOpen(ILogger logger, string pool, string? label, string callSite, int backend);

    [LoggerMessage(1101, LogLevel.Warning, "PgPool '{Pool}': a lease came back with a command, reader or COPY under way, which was severed: label '{Label}', rented at {CallSite}, backend {Backend}")]
    public static partial void ReturnedBusy(ILogger logger, string pool, string? label, string callSite, int backend);

    [LoggerMessage(1102, LogLevel.Warning, "PgPool '{Pool}': a lease came back with its connection closed, reopened or moved to another database by its renter; it was retired: label '{Label}', rented at {CallSite}, backend {Backend}")]
    public static partial void SessionReplaced(ILogger logger, string pool, string? label, string callSite, int backend);

    [LoggerMessage(1103, LogLevel.Warning, "PgPool '{Pool}': a returned session could not be reset and was closed: label '{Label}', rented at {CallSite}, backend {Backend}")]
    public static partial void ResetFailed(ILogger logger, string pool, string? label, string callSite, int backend, Exception? exception);

    [LoggerMessage(1104, LogLevel.Information, "PgPool '{Pool}': a lease came back with a broken connection: label '{Label}', rented at {CallSite}, backend {Backend}")]
    public static partial void ReturnedBroken(ILogger logger, string pool, string? label, string callSite, int backend, Exception? exception);

    [LoggerMessage(1105, LogLevel.Warning, "PgPool '{Pool}': a lease was dropped without being returned, and its place taken back: label '{Label}', rented at {CallSite}. Dispose leases. {StackTrace}")]
    public static partial void Abandoned(ILogger logger, string pool, string? label, string callSite, string? stackTrace);

    [LoggerMessage(1106, LogLevel.Warning, "PgPool '{Pool}': lease {Id} has been out for {Seconds:0.0} s: label '{Label}', rented at {CallSite}, backend {Backend} {StackTrace}")]
    public static partial void LongLease(ILogger logger, string pool, long id, double seconds, string? label, string callSite, int backend, string? stackTrace);

    [LoggerMessage(1107, LogLevel.Warning, "PgPool '{Pool}': a flow that holds a lease rents another at {CallSite}, which can deadlock; RentManyAsync takes several at once")]
    public static partial void NestedRent(ILogger logger, string pool, string callSite);

    [LoggerMessage(1108, LogLevel.Information, "PgPool '{Pool}': lease {Id} was returned after {Seconds:0.0} s: label '{Label}', rented at {CallSite}, backend {Backend}")]
    public static partial void LongLeaseReturned(ILogger logger, string pool, long id, double seconds, string? label, string callSite, int backend);

    [LoggerMessage(1200, LogLevel.Information, "PgPool '{Pool}': closed")]
    public static partial void PoolClosed(ILogger logger, string pool);

    [LoggerMessage(1201, LogLevel.Debug, "PgPool '{Pool}': made, for {MinSize} to {MaxSize} connections")]
    public static partial void PoolMade(ILogger logger, string pool, int minSize, int maxSize);

    [LoggerMessage(1202, LogLevel.Information, "PgPool '{Pool}': suspended; rents wait")]
    public static partial void Suspended(ILogger logger, string pool);

    [LoggerMessage(1203, LogLevel.Information, "PgPool '{Pool}': resumed")]
    public static partial void Resumed(ILogger logger, string pool);

    [LoggerMessage(1204, LogLevel.Information, "PgPool '{Pool}': resized to {MinSize} to {MaxSize} connections")]
    public static partial void Resized(ILogger logger, string pool, int minSize, int maxSize);

    [LoggerMessage(1205, LogLevel.Information, "PgPool '{Pool}': cleared; today's connections are replaced")]
    public static partial void Cleared(ILogger logger, string pool);
}
