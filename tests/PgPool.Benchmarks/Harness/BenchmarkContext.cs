using PgPool.TestSupport;

namespace PgPool.Benchmarks.Harness;

/// <summary>What a case runs with: the server, and how thorough it is to be.</summary>
internal sealed class BenchmarkContext(PostgresServer server, bool quick)
{
    /// <summary>Rounds to run before any counts: the JIT compiles what is hot once more, with what it has seen of it.</summary>
    private const int WarmUpRounds = 3;

    public PostgresServer Server => server;

    public bool Quick => quick;

    /// <summary>A count for one round: of operations, or of anything else.</summary>
    public int Count(int thorough, int brief) => quick ? brief : thorough;

    /// <summary>Both pools with this many connections, open.</summary>
    public Task<Contestants> StartAsync(int size, SessionReset reset = SessionReset.Full) =>
        Contestants.StartAsync(server.ConnectionString, size, reset);

    /// <summary>Measures two sides in turns, A B B A A B …, so that what the machine does meanwhile meets both.</summary>
    /// <param name="rounds">How many count, unless it is to be quick.</param>
    /// <param name="ours">One round of this pool.</param>
    /// <param name="peer">One round of what it is compared with.</param>
    /// <param name="warmUps">How many come first and do not count, unless it is to be quick.</param>
    public async Task<Comparison<T>> CompareAsync<T>(int rounds, Func<Task<T>> ours, Func<Task<T>> peer, int warmUps = WarmUpRounds)
    {
        var samples = new (T Ours, T Peer)[quick ? 1 : rounds];
        for (var round = quick ? 0 : -warmUps; round < samples.Length; round++)
        {
            var sample = int.IsEvenInteger(round) ? await OursFirstAsync() : await PeerFirstAsync();
            if (round >= 0)
                samples[round] = sample;
        }
        return new Comparison<T>(samples);

        async Task<(T Ours, T Peer)> OursFirstAsync() => (await SampleAsync(ours), await SampleAsync(peer));

        async Task<(T Ours, T Peer)> PeerFirstAsync()
        {
            var theirs = await SampleAsync(peer);
            return (await SampleAsync(ours), theirs);
        }
    }

    private static Task<T> SampleAsync<T>(Func<Task<T>> side)
    {
        // Neither side is to pay for the other's garbage.
        GC.Collect();
        return side();
    }
}
