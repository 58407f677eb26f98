using System.Runtime.CompilerServices;

namespace PgPool.Migration.Running;

/// <summary>A number for each pool of the process, in the order they were first seen.</summary>
internal static class PoolOrder
{
    private static readonly ConditionalWeakTable<ConnectionPool, StrongBox<long>> Numbers = [];
    private static long _last;

    public static long Of(ConnectionPool pool) => Numbers.GetValue(pool, static _ => new StrongBox<long>(Interlocked.Increment(ref _last))).Value;
}
