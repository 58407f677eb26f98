using System.Globalization;
using System.Text;
using PgPool.Sessions;

namespace PgPool.Diagnostics;

/// <summary>The texts of the pool's exceptions: what happened, to whom, who holds the connections, and what to do about it.</summary>
internal static class PoolMessages
{
    /// <summary>Holders named in a message; the exception has them all.</summary>
    private const int HoldersShown = 5;

    public static string TimedOut(PoolStatistics pool, TimeSpan waited, IReadOnlyList<LeaseInfo> leases, int? serverMaxConnections)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"PgPool '{pool.PoolName}': no connection came free within {Seconds(waited)}: {Cause(pool, serverMaxConnections)} ");
        text.Append(Counts(pool));
        AppendHolders(text, leases);
        return text.ToString();
    }

    public static string QueueFull(PoolStatistics pool, int maxWaiting)
        => $"PgPool '{pool.PoolName}': the queue is full: {maxWaiting} rents may wait (MaxWaiting) and do. {Counts(pool)} "
            + "Rent from fewer workers, or raise MaxSize or MaxWaiting.";

    public static string ConnectFailed(PoolStatistics pool, Exception error)
        => $"PgPool '{pool.PoolName}': the server refuses connections for good: {Sentence(error)} Correct the connection string or the server; "
            + "each later rent tries again.";

    public static string Nested(string pool, string callSite)
        => $"PgPool '{pool}': the pool is full and the flow that rents at {callSite} holds a lease of it already, so that it could wait for itself. "
            + "Return that lease first, or take all connections at once with RentManyAsync.";

    public static string TooMany(string pool, int count, int maxSize)
        => $"PgPool '{pool}': {count} connections were asked for, but the pool may have {maxSize} (MaxSize).";

    /// <summary>One sentence that names the cause and one with the cure.</summary>
    private static string Cause(PoolStatistics pool, int? serverMaxConnections) => pool switch
    {
        { LastOpenError: { } error } when OpenErrors.IsServerFull(error)
            => $"the server is full (53300): {Sentence(error)} {ShareOfServer(pool.Total, serverMaxConnections)}, and may take {pool.MaxSize} (MaxSize). "
                + "Lower MaxSize here, or raise the server's max_connections.",
        { LastOpenError: ServerReadOnlyException error } => $"the server cannot be written to: {Sentence(error)} Promote it, or have the connection string lead to the primary.",
        { LastOpenError: HookFailedException error } => $"sessions cannot be prepared: {Sentence(error)} Correct the hook.",
        { LastOpenError: { } error } => $"the server is unreachable: {Sentence(error)} Check that it runs and that the connection string leads to it.",
        { Opening: > 0 } when pool.Leased < pool.MaxSize => "the server is slow: connections are still being opened. Raise RentTimeout, or keep connections ready with MinSize.",
        { Leased: 0, Resetting: > 0 } => "the server is slow: connections are still being reset or closed. Raise RentTimeout, or look at the server's load.",
        _ => "the pool is full. Hold leases for less time, or raise MaxSize or RentTimeout.",
    };

    /// <summary>What the pool has of a full server.</summary>
    public static string ShareOfServer(int connections, int? serverMaxConnections) => serverMaxConnections is { } maximum
        ? $"This pool has {connections} of the {maximum} connections that the server allows (max_connections)"
        : $"This pool has {connections} connections";

    private static string Counts(PoolStatistics pool)
        => $"Max {pool.MaxSize}, total {pool.Total} (idle {pool.Idle}, leased {pool.Leased}, resetting {pool.Resetting}), "
            + $"opening {pool.Opening}, waiting {pool.Waiting}.";

    private static void AppendHolders(StringBuilder text, IReadOnlyList<LeaseInfo> leases)
    {
        for (var i = 0; i < Math.Min(leases.Count, HoldersShown); i++)
        {
            var lease = leases[i];
            text.Append(i == 0 ? " Held longest: " : "; ");
            if (lease.Label is { } label)
                text.Append(CultureInfo.InvariantCulture, $"'{label}' ");
            text.Append(CultureInfo.InvariantCulture, $"at {lease.CallSite} for {Seconds(lease.HeldFor)} (lease {lease.Id}, backend {lease.BackendProcessId})");
        }
        if (leases.Count > HoldersShown)
            text.Append(CultureInfo.InvariantCulture, $"; and {leases.Count - HoldersShown} more");
        if (leases.Count > 0)
            text.Append('.');
    }

    // Npgsql's messages may span lines, rarely end in a full stop, and leave the cause ("The remote certificate was rejected") to what they wrap; some
    // only repeat that.
    private static string Sentence(Exception error)
    {
        List<string> causes = [];
        for (var cause = error; cause is not null; cause = cause.InnerException)
            causes.Add(cause.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.'));
        return $"{string.Join(": ", causes.Distinct())}.";
    }

    private static string Seconds(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0##} s");
}
