using System.Diagnostics;

namespace PgPool.Tests.Soak;

/// <summary>One worker: rents in some way, does something, returns in some way, all at random.</summary>
/// <param name="soak">What all workers share.</param>
/// <param name="random">Its own.</param>
/// <param name="async">Whether it awaits, or blocks its thread throughout.</param>
internal sealed class Worker(SoakContext soak, Random random, bool async)
{
    private bool _dropped;

    public async ValueTask RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            _dropped = false;
            await OnceAsync();
            if (_dropped)
                GC.Collect();
        }
    }

    // A call of its own: nothing of a lease that was dropped may stay on the stack.
    private async ValueTask OnceAsync()
    {
        try
        {
            await (random.Next(100) switch
            {
                < 4 when async => UseManyAsync(),
                < 6 when async => UseForEachAsync(),
                _ => UseOneAsync(),
            });
        }
        catch (Exception exception)
        {
            if (ExpectedFailures.KindOf(exception) is { } kind)
                soak.Report.Outcome(kind);
            else
                soak.Report.Finding($"unexpected {exception}");
        }
    }

    private async ValueTask UseOneAsync()
    {
        if (await RentAsync() is not { } lease)
            return;
        if (random.Next(10) == 0)
            await GiveBackAsync(lease);
        else
            await UseAsync(lease, GiveBackAsync);
    }

    private async ValueTask UseManyAsync()
    {
        var startedAt = Stopwatch.GetTimestamp();
        await using var group = await soak.Pool.RentManyAsync(random.Next(2, 5));
        soak.Report.Rented("many", Stopwatch.GetElapsedTime(startedAt));
        foreach (var lease in group)
            await UseAsync(lease, static lease => lease.DisposeAsync());
    }

    private async ValueTask UseForEachAsync()
    {
        soak.Report.Rented("for each", TimeSpan.Zero);
        await soak.Pool.ForEachAsync(Enumerable.Range(0, random.Next(20)), degree: random.Next(1, 4), async (lease, _, token) =>
        {
            soak.Sessions.Enter(lease);
            try
            {
                await using var command = lease.CreateCommand("SELECT 1");
                await command.ExecuteScalarAsync(token);
            }
            finally
            {
                soak.Sessions.Leave(lease);
            }
        });
    }

    private async ValueTask<ConnectionLease?> RentAsync()
    {
        var startedAt = Stopwatch.GetTimestamp();
        using var cancellation = new CancellationTokenSource();
        var (kind, options) = random.Next(20) switch
        {
            0 => ("brief", new RentOptions { Timeout = TimeSpan.FromMilliseconds(random.Next(20)) }),
            1 => ("cancelled", default),
            2 => ("urgent", new RentOptions { Priority = RentPriority.High }),
            3 => ("try", default),
            _ => ("plain", new RentOptions { Label = "soak" }),
        };
        if (kind == "cancelled")
            cancellation.CancelAfter(random.Next(20));
        try
        {
            if (kind == "try")
                return soak.Pool.TryRent(out var lease) ? lease : null;
            return async ? await soak.Pool.RentAsync(options, cancellation.Token) : soak.Pool.Rent(options, cancellation.Token);
        }
        finally
        {
            soak.Report.Rented(async ? kind : kind + " blocking", Stopwatch.GetElapsedTime(startedAt));
        }
    }

    private async ValueTask UseAsync(ConnectionLease lease, Func<ConnectionLease, ValueTask> giveBack)
    {
        var (name, perform) = Deeds.Draw(random);
        soak.Sessions.Enter(lease);
        try
        {
            await soak.Sessions.CheckCleanAsync(lease, async);
            await perform(new Deed(soak, lease, random, async));
            soak.Report.Outcome(name);
        }
        finally
        {
            soak.Sessions.Leave(lease);
            await giveBack(lease);
        }
    }

    private async ValueTask GiveBackAsync(ConnectionLease lease)
    {
        switch (random.Next(200))
        {
            case 0:
                soak.Report.Outcome("dropped");
                _dropped = true;
                return;
            case < 6:
                lease.Discard("soak");
                break;
        }
        if (random.Next(4) == 0 ? !async : async)
            await lease.DisposeAsync();
        else
            lease.Dispose();
    }
}
