using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>Everything at once, on real threads and real time. A failure names the seed; the threads' interleaving is not repeated.</summary>
public class StressTests
{
    private const int Actions = 300;

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    // A seeded random number generator is what is wanted.
    public static TheoryData<int> Seeds => new(1, 20, 300, Random.Shared.Next());

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task RandomActions_ManyThreads_InvariantsHoldAndEverythingSettles(int seed)
    {
        try
        {
            await using var stress = new Stress(seed);
            await stress.RunAsync().WaitAsync(Hang, TestContext.Current.CancellationToken);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Seed {seed}: {exception.Message}", exception);
        }
    }

    private sealed class Stress : IAsyncDisposable
    {
        private static readonly Answer[] Moods = [Answer.Ok, Answer.Ok, Answer.Ok, Answer.Error, Answer.ServerFull, Answer.Refused];

        private readonly int _seed;
        private readonly EngineHarness _pool;
        private int _suspensions;
        private int _looks;
        private bool _done;

        public Stress(int seed)
        {
            _seed = seed;
            _pool = new EngineHarness(options => options with
            {
                TimeProvider = TimeProvider.System,
                MinSize = 1,
                MaxSize = 6,
                MaxWaiting = 12,
                ReconnectDelay = TimeSpan.FromMilliseconds(1),
                MaxReconnectDelay = TimeSpan.FromMilliseconds(4),
                ValidateAfterIdle = TimeSpan.FromMilliseconds(1),
                IdleTimeout = TimeSpan.FromMilliseconds(20),
                MaxLifetime = TimeSpan.FromMilliseconds(50),
                LifetimeJitter = 0.5,
                KeepAliveInterval = TimeSpan.FromMilliseconds(10),
            }, driver => driver.ResetsLater = int.IsEvenInteger(seed));
            _pool.Invariants.LargestNeed = 3;
            foreach (var gate in new[] { _pool.Driver.Open, _pool.Driver.Validate, _pool.Driver.Reset, _pool.Driver.Close })
                gate.Pace = () => YieldAsync(Random.Shared.Next(4));
        }

        public async Task RunAsync()
        {
            var checking = Blocking.RunAsync(Check);
            var others = Task.Run(DisturbAsync);
            await Task.WhenAll(
            [
                .. Enumerable.Range(1, 6).Select(worker => Task.Run(() => WorkAsync(new Random(_seed + worker)))),
                .. Enumerable.Range(7, 3).Select(worker => Blocking.RunAsync(() => Work(new Random(_seed + worker)))),
            ]);
            Volatile.Write(ref _done, true);
            await Task.WhenAll(checking, others);
            await _pool.BecomesAsync(statistics => statistics is { Leased: 0, Waiting: 0, Resetting: 0, Opening: 0 });
            Assert.True(_pool.Statistics.Rented > Actions, _pool.Statistics.ToString());
        }

        public ValueTask DisposeAsync() => _pool.DisposeAsync();

        private void Check()
        {
            while (!Volatile.Read(ref _done))
            {
                var suspensions = Volatile.Read(ref _suspensions);
                var suspended = _pool.Engine.IsSuspended;
                var statistics = _pool.Statistics;
                _pool.Invariants.AssertAnytime(statistics, mayLend: !suspended && suspensions == Volatile.Read(ref _suspensions));
                Interlocked.Increment(ref _looks);
            }
        }

        private async Task WorkAsync(Random random)
        {
            for (var action = 0; action < Actions; action++)
            {
                using var cancellation = new CancellationTokenSource();
                var rent = _pool.RentAsync(
                    need: random.Next(5) == 0 ? random.Next(2, 4) : 1, priority: (RentPriority)random.Next(-1, 2), timeout: RandomTimeout(random),
                    cancellation: cancellation);
                if (random.Next(6) == 0)
                    await cancellation.CancelAsync();
                var rented = await rent;
                await YieldAsync(random.Next(6));
                foreach (var lease in rented.Leases)
                    GiveBack(lease, random);
            }
        }

        private void Work(Random random)
        {
            for (var action = 0; action < Actions; action++)
            {
                foreach (var lease in _pool.Rent((RentPriority)random.Next(-1, 2), TimeSpan.FromMilliseconds(random.Next(1, 200))).Leases)
                    GiveBack(lease, random);
            }
        }

        private static TimeSpan RandomTimeout(Random random) => random.Next(4) switch
        {
            0 => TimeSpan.Zero,
            1 => TimeSpan.FromMilliseconds(1),
            _ => TimeSpan.FromSeconds(10),
        };

        private static void GiveBack(FakeLease lease, Random random)
        {
            switch (random.Next(12))
            {
                case 0:
                    lease.Discard();
                    lease.ReturnUsed();
                    break;
                case 1:
                    lease.Connection.IsBroken = true;
                    lease.ReturnUsed();
                    break;
                case < 5:
                    lease.Return();
                    break;
                case < 8:
                    lease.ReturnUsedHere();
                    break;
                default:
                    lease.ReturnUsed();
                    break;
            }
        }

        /// <summary>What is done to the pool, and the server's moods, while it is used.</summary>
        private async Task DisturbAsync()
        {
            var random = new Random(_seed);
            var engine = _pool.Engine;
            while (!Volatile.Read(ref _done))
            {
                switch (random.Next(7))
                {
                    case 0:
                        engine.Resize(random.Next(2), random.Next(3, 9));
                        // The checker knows only the maxima it has seen.
                        var looks = Volatile.Read(ref _looks);
                        await Soon.BecomesAsync(() => Volatile.Read(ref _done) || Volatile.Read(ref _looks) > looks + 1);
                        break;
                    case 1:
                        engine.Clear();
                        break;
                    case 2:
                        Interlocked.Increment(ref _suspensions);
                        engine.Suspend(true);
                        await YieldAsync(random.Next(20));
                        engine.Suspend(false);
                        break;
                    case 3:
                        engine.Maintain();
                        break;
                    case 4:
                        await engine.CheckIdleAsync(CancellationToken.None);
                        break;
                    default:
                        _pool.Driver.Open.Otherwise(Moods[random.Next(Moods.Length)]);
                        break;
                }
                await YieldAsync(random.Next(60));
            }
            _pool.Driver.Open.Otherwise(Answer.Ok);
        }

        private static async Task YieldAsync(int times)
        {
            for (var i = 0; i < times; i++)
                await Task.Yield();
        }
    }
}
