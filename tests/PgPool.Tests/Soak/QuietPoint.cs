using System.Collections.Concurrent;
using PgPool.TestSupport;

namespace PgPool.Tests.Soak;

/// <summary>With no work and no fault: has everything come back?</summary>
internal sealed class QuietPoint : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly PostgresServer _server;
    private readonly SoakContext _soak;
    private readonly string _applicationName;
    private readonly ConcurrentQueue<Exception> _unobserved = [];

    public QuietPoint(PostgresServer server, SoakContext soak, string applicationName)
    {
        _server = server;
        _soak = soak;
        _applicationName = applicationName;
        Memory = new MemoryLog(soak.Report);
        TaskScheduler.UnobservedTaskException += Keep;
    }

    public MemoryLog Memory { get; }

    private ConnectionPool Pool => _soak.Pool;

    public void Dispose() => TaskScheduler.UnobservedTaskException -= Keep;

    public async Task LookAsync()
    {
        await ComesTrueAsync(() => Task.FromResult(_soak.Leftovers.Running == 0), () => $"{_soak.Leftovers.Running} statements left running still run");
        await ComesTrueAsync(IsSettledAsync, () => $"not settled: {Pool.GetStatistics()}{Environment.NewLine}{string.Join(Environment.NewLine, Pool.GetLeases())}");
        await RentAllAsync();
        await ComesTrueAsync(HasOnlyItsSessionsAsync, () => $"sessions on the server that the pool does not have, with {Pool.GetStatistics().Total} of its own");
        await _soak.Rows.VerifyAsync(_soak.Report);

        // Always as many connections when memory is measured.
        Pool.Clear();
        await ComesTrueAsync(IsMinimalAsync, () => $"not at its minimum: {Pool.GetStatistics()}");
        Memory.Take();
        while (_unobserved.TryDequeue(out var exception))
            _soak.Report.Finding($"unobserved {exception}");
    }

    private async Task<bool> IsSettledAsync()
    {
        // Leases that were dropped come back after garbage collection only.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        await Pool.CheckAsync();
        return Pool.GetStatistics() is { Leased: 0, Waiting: 0, Opening: 0, Resetting: 0 };
    }

    /// <summary>No permit is lost when the maximum can be had at once.</summary>
    private async Task RentAllAsync()
    {
        try
        {
            await using var all = await Pool.RentManyAsync(Faults.MaxSize, new() { Timeout = Patience, Label = "all" });
            foreach (var lease in all)
            {
                _soak.Sessions.Enter(lease);
                await _soak.Sessions.CheckCleanAsync(lease, async: true);
                _soak.Sessions.Leave(lease);
            }
        }
        catch (Exception exception)
        {
            _soak.Report.Finding($"cannot rent all {Faults.MaxSize} at a quiet point: {exception}");
        }
        await Pool.WaitUntilIdleAsync().WaitAsync(Patience);
    }

    private async Task<bool> HasOnlyItsSessionsAsync()
    {
        // A session that could not be severed in time is closed by the garbage collector.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return await _server.CountBackendsAsync(_applicationName) == Pool.GetStatistics().Total;
    }

    private Task<bool> IsMinimalAsync()
        => Task.FromResult(Pool.GetStatistics() is { Total: Faults.MinSize, Idle: Faults.MinSize, Opening: 0 });

    private async Task ComesTrueAsync(Func<Task<bool>> condition, Func<string> describe)
    {
        try
        {
            await Eventually.BecomesAsync(condition, "", Patience);
        }
        catch (TimeoutException)
        {
            _soak.Report.Finding(describe());
        }
    }

    private void Keep(object? sender, UnobservedTaskExceptionEventArgs e) => _unobserved.Enqueue(e.Exception);
}
