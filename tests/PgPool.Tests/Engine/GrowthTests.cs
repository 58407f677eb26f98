using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>How many connections a load gets: simulated in virtual time, with opens that take 150 ms.</summary>
public class GrowthTests
{
    private static readonly TimeSpan OpenTakes = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task Rent_BurstOfShortRents_EndsWithFewConnections()
    {
        await using var load = new Load(maxSize: 50);

        await load.RunAsync(renters: 50, rentsEach: 1, hold: TimeSpan.FromMilliseconds(2), step: TimeSpan.FromMilliseconds(1));

        Assert.InRange(load.Pool.Driver.Opened, 1, 6);
    }

    [Fact]
    public async Task Rent_LongRents_GetAllConnections()
    {
        await using var load = new Load(maxSize: 50);

        await load.RunAsync(renters: 50, rentsEach: 1, hold: TimeSpan.FromSeconds(10), step: TimeSpan.FromMilliseconds(25));

        Assert.Equal(50, load.Pool.Driver.Opened);
        // 13 times 4 opens: nobody had to wait for another's return, and the queue did not have to prove itself for long between opens.
        Assert.InRange(load.LongestWait, 13 * OpenTakes, 20 * OpenTakes);
    }

    [Fact]
    public async Task Rent_LastingLoad_Grows()
    {
        await using var load = new Load(maxSize: 20);

        await load.RunAsync(renters: 20, rentsEach: 100, hold: TimeSpan.FromMilliseconds(20), step: TimeSpan.FromMilliseconds(5));

        Assert.InRange(load.Pool.Driver.Opened, 10, 20);
    }

    [Fact]
    public async Task Rent_OneAfterTheOther_NeedsOneConnection()
    {
        await using var load = new Load(maxSize: 20);

        await load.RunAsync(renters: 1, rentsEach: 100, hold: TimeSpan.FromMilliseconds(2), step: TimeSpan.FromMilliseconds(1));

        Assert.Equal(1, load.Pool.Driver.Opened);
    }

    /// <summary>Renters that each rent, hold and return in virtual time. Time goes on only when all of them wait for it or for the pool.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private int _running;
        private int _holding;
        private int _openingNow;

        public Load(int maxSize)
        {
            Pool = new EngineHarness(options => options with { MaxSize = maxSize });
            Pool.Driver.Open.Pace = () => DelayAsync(OpenTakes, opening: 1);
        }

        public EngineHarness Pool { get; }

        public TimeSpan LongestWait { get; private set; }

        public async Task RunAsync(int renters, int rentsEach, TimeSpan hold, TimeSpan step)
        {
            _running = renters;
            for (var i = 0; i < renters; i++)
                _ = RentRepeatedlyAsync(rentsEach, hold);
            while (Volatile.Read(ref _running) > 0)
            {
                await Soon.BecomesAsync(IsAtRest, () => Pool.Statistics.ToString());
                Pool.Advance(step);
            }
            await Pool.PassTimeAsync(OpenTakes, () => Pool.Statistics.Opening == 0);
        }

        public ValueTask DisposeAsync() => Pool.DisposeAsync();

        private bool IsAtRest()
        {
            lock (_lock)
            {
                var statistics = Pool.Statistics;
                return statistics.Waiting + _holding == _running && statistics.Opening == _openingNow;
            }
        }

        private async Task RentRepeatedlyAsync(int times, TimeSpan hold)
        {
            for (var i = 0; i < times; i++)
            {
                var rented = await Pool.RentAsync();
                lock (_lock)
                    LongestWait = rented.Waited > LongestWait ? rented.Waited : LongestWait;
                await DelayAsync(hold, holding: 1);
                rented.Return();
            }
            lock (_lock)
                _running--;
        }

        private async Task DelayAsync(TimeSpan span, int holding = 0, int opening = 0)
        {
            Task delay;
            lock (_lock)
            {
                delay = Task.Delay(span, Pool.Time);
                _holding += holding;
                _openingNow += opening;
            }
            _ = delay.ContinueWith(
                _ =>
                {
                    lock (_lock)
                    {
                        _holding -= holding;
                        _openingNow -= opening;
                    }
                },
                TaskContinuationOptions.ExecuteSynchronously);
            await delay;
        }
    }
}
