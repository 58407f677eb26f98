using System.Data.Common;
using PgPool;

namespace LiveView;

/// <summary>Clients that use the source while it is copied, more of them than there are connections: so that there is something to see.</summary>
internal sealed class DemoClients([FromKeyedServices("source")] ConnectionPool source, TimeProvider time) : BackgroundService
{
    private const int Clients = 6;

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
        => Task.WhenAll(Enumerable.Range(1, Clients).Select(number => WorkAsync($"client {number}", stoppingToken)));

    private async Task WorkAsync(string name, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var lease = await source.RentAsync(new() { Label = name }, cancellationToken);
                await using var command = lease.CreateCommand("SELECT pg_sleep(0.2 + random() * 0.4)");
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
            // A pool that was suspended or made small for too long, a session that was ended: the counters tell.
            catch (DbException)
            {
            }
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(100, 800)), time, cancellationToken);
        }
    }
}
