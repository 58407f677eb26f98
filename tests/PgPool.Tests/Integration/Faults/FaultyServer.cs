using Npgsql;
using PgPool.TestSupport;

namespace PgPool.Tests.Integration.Faults;

/// <summary>A server behind a proxy, and all that can go wrong with the two, for the sessions of one pool.</summary>
internal sealed class FaultyServer : IAsyncDisposable
{
    private readonly PostgresServer _server;
    private readonly FaultProxy _proxy;
    private readonly string _applicationName = $"fault-{Guid.NewGuid():N}";

    public FaultyServer(PostgresServer server)
    {
        _server = server;
        _proxy = FaultProxy.InFrontOf(server.ConnectionString);
    }

    /// <summary>Through the proxy. TLS goes through it too: the certificate is for the address that it listens on.</summary>
    public NpgsqlConnectionStringBuilder ConnectionString =>
        new(_proxy.ConnectionStringFor(_server.ConnectionString)) { ApplicationName = _applicationName };

    /// <summary>Connections that the pool has made and that nobody has closed.</summary>
    public int Connections => _proxy.Live;

    /// <summary>Holds all that is sent until the fault strikes, so that it strikes in the middle of it.</summary>
    public void Hold() => _proxy.Mode = FaultMode.Deaf;

    /// <summary>Has the fault strike, and lets go of what was held where the fault does not hold it.</summary>
    public async Task StrikeAsync(Fault fault)
    {
        switch (fault)
        {
            case Fault.BackendTerminated:
                await _server.TerminateBackendsAsync(_applicationName);
                break;
            case Fault.SocketCut:
                _proxy.CutAll();
                break;
            case Fault.ServerRestarted:
                await _server.RestartAsync();
                break;
            case Fault.CertificateWrong:
                await _server.UseCertificateAsync(TestCertificate.Untrusted);
                break;
        }

        _proxy.Mode = fault switch
        {
            Fault.ServerDeaf => FaultMode.Deaf,
            Fault.ServerRefusing => FaultMode.Refuse,
            _ => FaultMode.Pass,
        };
    }

    public async Task CureAsync(Fault fault)
    {
        if (fault == Fault.CertificateWrong)
            await _server.UseCertificateAsync(TestCertificate.Trusted);
        _proxy.Mode = FaultMode.Pass;
    }

    /// <summary>Sessions of the pool that the server has.</summary>
    public Task<int> CountSessionsAsync() => _server.CountBackendsAsync(_applicationName);

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();
}
