using System.Collections.Concurrent;

namespace PgPool.Tests.Engine.Kit;

/// <summary>A connection that notices what must never happen to it: two uses at once, a use after its close, a second close.</summary>
internal sealed class FakeConnection(int id, ConcurrentQueue<string> faults)
{
    public const string Lease = "a lease";

    private string? _user;
    private bool _closed;

    public int Id => id;

    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Set by a test that kills it: found out at its next reset or validation.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Somebody begins to use it, who has it alone.</summary>
    public void Enter(string user)
    {
        if (IsClosed)
            faults.Enqueue($"connection {id}: {user} after its close");
        if (Interlocked.CompareExchange(ref _user, user, null) is { } other)
            faults.Enqueue($"connection {id}: {user} during {other}");
    }

    public void Leave(string user) => Interlocked.CompareExchange(ref _user, null, user);

    /// <summary>Closes it, under its lease when that is severed.</summary>
    public void Close(bool severed)
    {
        if (severed)
            Leave(Lease);
        Enter("its close");
        Volatile.Write(ref _closed, true);
    }
}
