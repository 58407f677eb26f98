namespace PgPool.Tests.Soak;

/// <summary>Statements that still ran when their lease was returned: they fail later, which somebody has to hear.</summary>
internal sealed class Leftovers
{
    private int _running;

    /// <summary>How many have not ended yet.</summary>
    public int Running => Volatile.Read(ref _running);

    public void Add(Task statement)
    {
        Interlocked.Increment(ref _running);
        statement.ContinueWith(ended =>
        {
            _ = ended.Exception;
            Interlocked.Decrement(ref _running);
        }, TaskScheduler.Default);
    }
}
