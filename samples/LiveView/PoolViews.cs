using System.Runtime.CompilerServices;
using PgPool;

namespace LiveView;

/// <summary>The pools of the application, and what the page is to show of them.</summary>
internal sealed class PoolViews(
    [FromKeyedServices("source")] ConnectionPool source, [FromKeyedServices("target")] ConnectionPool target, DemoMigration migration,
    IHostApplicationLifetime application, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public ConnectionPool? Find(string name) => new[] { source, target }.FirstOrDefault(pool => pool.Name == name);

    public async IAsyncEnumerable<PageView> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A page that is open must not hold up the application's end.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, application.ApplicationStopping);
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            yield return new PageView(time.GetUtcNow(), [PoolView.Of(source), PoolView.Of(target)], migration.Look());
        }
        while (await NextAsync());

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return await timer.WaitForNextTickAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }
}
