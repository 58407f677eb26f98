using System.Collections.Concurrent;
using PgPool.Engine;

namespace PgPool.Tests.Engine.Kit;

/// <summary>A driver whose every await point is a gate. Keeps no connection alive: leases that are dropped must be collectable.</summary>
internal sealed class FakeDriver : IConnectionDriver<FakeConnection>
{
    private int _lastId;
    private int _live;

    public Gate Open { get; } = new();
    public Gate Validate { get; } = new();
    public Gate Reset { get; } = new();
    public Gate Close { get; } = new();

    /// <summary>What went wrong that no pool may do to a connection.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>The connections that were pinged, in the order of their pings.</summary>
    public ConcurrentQueue<int> Validated { get; } = [];

    /// <summary>Connections opened and not closed.</summary>
    public int Live => Volatile.Read(ref _live);

    /// <summary>Connections opened so far.</summary>
    public int Opened => Volatile.Read(ref _lastId);

    /// <summary>What a reset that succeeds says.</summary>
    public ResetVerdict Verdict { get; set; } = new(AnsweredNow: true);

    /// <summary>Whether a reset that nobody waits for may begin later.</summary>
    public bool ResetsLater { get; set; }

    /// <summary>Whether connections may be closed under their leases.</summary>
    public bool MaySever { get; set; }

    public event Action? SessionBroke;

    /// <summary>A session fails under its renter.</summary>
    public void Break() => SessionBroke?.Invoke();

    public async ValueTask<FakeConnection> OpenAsync(bool async, CancellationToken cancellationToken)
    {
        switch (await Open.PassAsync(async, cancellationToken).ConfigureAwait(false))
        {
            case Answer.Ok:
                Interlocked.Increment(ref _live);
                return new FakeConnection(Interlocked.Increment(ref _lastId), Faults);
            case Answer.Cancelled:
                throw new OperationCanceledException("cancelled");
            case var failure:
                throw new OpenException(failure);
        }
    }

    public int BackendProcessId(FakeConnection connection) => connection.Id;

    public async ValueTask<bool> ValidateAsync(FakeConnection connection, bool async)
    {
        connection.Enter("a validation");
        Validated.Enqueue(connection.Id);
        var answer = await Validate.PassAsync(async).ConfigureAwait(false);
        connection.Leave("a validation");
        return answer == Answer.Ok && !connection.IsBroken;
    }

    public void Returning(FakeConnection connection)
    {
    }

    public bool MayResetLater(FakeConnection connection) => ResetsLater;

    public async ValueTask<ResetVerdict> ResetAsync(FakeConnection connection, bool async, CancellationToken severing)
    {
        connection.Enter("a reset");
        var answer = await Reset.PassAsync(async, CancellationToken.None).ConfigureAwait(false);
        connection.Leave("a reset");
        if (connection.IsBroken)
            return new ResetVerdict(CloseReason.Broken, ServerIsSuspect: true);
        return answer == Answer.Ok ? Verdict : new ResetVerdict(CloseReason.ResetFailed, ServerIsSuspect: true);
    }

    public async ValueTask CloseAsync(FakeConnection connection, bool async, CancellationToken severing)
    {
        connection.Close(MaySever);
        await Close.PassAsync(async, CancellationToken.None).ConfigureAwait(false);
        // However the close ended: the server has let go of it.
        Interlocked.Decrement(ref _live);
    }

    public OpenFailure Classify(Exception exception) => exception is OpenException open ? open.Failure : OpenFailure.Transient;
}
