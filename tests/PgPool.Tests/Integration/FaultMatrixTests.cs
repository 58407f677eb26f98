using PgPool.Tests.Integration.Faults;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>
/// Every fault in every state of a session, in both modes: what those see whom it concerns, why the pool closed what it closed, and that nothing is
/// lost. The server is one of its own, with TLS and passwords, behind a proxy.
/// </summary>
public sealed class FaultMatrixTests(TlsServerFixture fixture) : IClassFixture<TlsServerFixture>
{
    public static MatrixTheoryData<State, Fault, bool> Cells => new(Enum.GetValues<State>(), Enum.GetValues<Fault>(), [true, false]);

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Fault_InAState_EndsAsTheTableSays(State state, Fault fault, bool async)
    {
        using var unobserved = new UnobservedExceptions();
        await using (var cell = new FaultCell(fixture.Server, fault, async, Expected(state, fault, async)))
        {
            await cell.StrikeAsync(state);
            await cell.CureAsync(Newcomer(fault));
            await cell.NothingIsLostAsync();
        }

        Assert.Empty(unobserved.Collect());
    }

    /// <summary>What the session's renter, or the one who waits for it, sees, and what the pool does with the session.</summary>
    private static Expectation Expected(State state, Fault fault, bool async) => (state, fault) switch
    {
        // Every idle session is pinged before it is lent: no renter ever sees a dead one.
        (State.Idle, Fault.BackendTerminated) => new(Seen.NewSession, CloseReason.ValidationFailed),
        (State.Idle, Fault.SocketCut) => new(Seen.NewSession, CloseReason.ValidationFailed),
        (State.Idle, Fault.ServerDeaf) => new(Seen.TimesOut, CloseReason.ValidationFailed, OpenFailed: null),
        (State.Idle, Fault.ServerRefusing) => new(Seen.SameSession),
        (State.Idle, Fault.ServerRestarted) => new(Seen.NewSession, CloseReason.ValidationFailed),
        (State.Idle, Fault.CertificateWrong) => new(Seen.SameSession),

        // A renter at work finds out by its own command. The next one gets a session that works.
        (State.Leased, Fault.BackendTerminated) => new(Seen.NewSession, CloseReason.Broken, CommandFails: true),
        (State.Leased, Fault.SocketCut) => new(Seen.NewSession, CloseReason.Broken, CommandFails: true),
        (State.Leased, Fault.ServerDeaf) => new(Seen.TimesOut, CloseReason.Broken, CommandFails: true, OpenFailed: null),
        (State.Leased, Fault.ServerRefusing) => new(Seen.SameSession),
        (State.Leased, Fault.ServerRestarted) => new(Seen.NewSession, CloseReason.Broken, CommandFails: true),
        (State.Leased, Fault.CertificateWrong) => new(Seen.SameSession),

        // An open that fails for the moment is tried again, and the rent waits on. One that was under way before connects were refused succeeds.
        (State.Opening, Fault.BackendTerminated) => new(Seen.NewSession, OpenFailed: 1),
        (State.Opening, Fault.SocketCut) => new(Seen.NewSession, OpenFailed: 1),
        (State.Opening, Fault.ServerDeaf) => new(Seen.TimesOut, OpenFailed: null),
        (State.Opening, Fault.ServerRefusing) => new(Seen.NewSession),
        (State.Opening, Fault.ServerRestarted) => new(Seen.NewSession, OpenFailed: 1),
        (State.Opening, Fault.CertificateWrong) => new(Seen.Refused, OpenFailed: 1),

        // The return itself sees nothing: a session that cannot be cleaned is replaced. Whose thread waits for the reset finds it broken when it
        // gives up; asynchronously the pool gives up first.
        (State.Resetting, Fault.BackendTerminated) => new(Seen.NewSession, CloseReason.Broken),
        (State.Resetting, Fault.SocketCut) => new(Seen.NewSession, CloseReason.Broken),
        (State.Resetting, Fault.ServerDeaf) => new(Seen.TimesOut, async ? CloseReason.ResetFailed : CloseReason.Broken, OpenFailed: null),
        (State.Resetting, Fault.ServerRefusing) => new(Seen.SameSession),
        (State.Resetting, Fault.ServerRestarted) => new(Seen.NewSession, CloseReason.Broken),
        (State.Resetting, Fault.CertificateWrong) => new(Seen.SameSession),

        // As idle, but for the moment.
        (State.Validating, Fault.BackendTerminated) => new(Seen.NewSession, CloseReason.ValidationFailed),
        (State.Validating, Fault.SocketCut) => new(Seen.NewSession, CloseReason.ValidationFailed),
        (State.Validating, Fault.ServerDeaf) => new(Seen.TimesOut, CloseReason.ValidationFailed, OpenFailed: null),
        (State.Validating, Fault.ServerRefusing) => new(Seen.SameSession),
        (State.Validating, Fault.ServerRestarted) => new(Seen.NewSession, CloseReason.ValidationFailed),
        (State.Validating, Fault.CertificateWrong) => new(Seen.SameSession),

        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    /// <summary>What somebody sees who comes after that, while the fault lasts, and needs a new connection.</summary>
    private static Seen Newcomer(Fault fault) => fault switch
    {
        Fault.BackendTerminated => Seen.NewSession,
        Fault.SocketCut => Seen.NewSession,
        Fault.ServerDeaf => Seen.WaitsForCure,
        Fault.ServerRefusing => Seen.WaitsForCure,
        Fault.ServerRestarted => Seen.NewSession,
        Fault.CertificateWrong => Seen.Refused,
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };
}
