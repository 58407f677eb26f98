using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Sessions;

/// <summary>PostgreSQL sessions for the engine: the rooms of this folder put together.</summary>
internal sealed class NpgsqlDriver : IConnectionDriver<NpgsqlConnection>, IAsyncDisposable, IDisposable
{
    // Keyed weakly: while a connection is lent, nothing of the pool may keep it reachable.
    private readonly ConditionalWeakTable<NpgsqlConnection, SessionIdentity> _identities = [];

    private readonly SessionOpener _opener;
    private readonly SessionValidator _validator;
    private readonly SessionResetter _resetter;
    private readonly SessionSeverer _severer;

    public NpgsqlDriver(ConnectionPoolOptions options, string poolName)
    {
        _opener = new SessionOpener(options, poolName);
        _validator = new SessionValidator(options);
        _resetter = new SessionResetter(options);
        _severer = new SessionSeverer(_opener, options);
    }

    public async ValueTask<NpgsqlConnection> OpenAsync(bool async, CancellationToken cancellationToken)
    {
        var connection = await _opener.OpenAsync(async, cancellationToken).ConfigureAwait(false);
        _identities.Add(connection, new SessionIdentity(connection));
        return connection;
    }

    public int BackendProcessId(NpgsqlConnection connection) => Identity(connection).ProcessId;

    public ValueTask<bool> ValidateAsync(NpgsqlConnection connection, bool async) => _validator.ValidateAsync(connection, async);

    public ValueTask<ResetVerdict> ResetAsync(NpgsqlConnection connection, bool async)
    {
        var identity = Identity(connection);
        var state = connection.FullState;
        if (state == ConnectionState.Broken)
            return new(new ResetVerdict(CloseReason.Broken));
        if (state == ConnectionState.Closed)
            return new(new ResetVerdict(CloseReason.SessionReplaced));
        if (state != ConnectionState.Open)
            return new(new ResetVerdict(CloseReason.Broken, WasDirty: true));
        return identity.Holds(connection)
            ? _resetter.ResetAsync(connection, identity, async)
            : new(new ResetVerdict(CloseReason.SessionReplaced));
    }

    public ValueTask CloseAsync(NpgsqlConnection connection, bool async) => _severer.CloseAsync(connection, Identity(connection).ProcessId, async);

    public OpenFailure Classify(Exception exception) => OpenErrors.Classify(exception);

    /// <summary>Reads the database's types again, for connections opened from now on.</summary>
    public Task ReloadTypesAsync(CancellationToken cancellationToken) => _opener.DataSource.ReloadTypesAsync(cancellationToken);

    public void Dispose() => _opener.DataSource.Dispose();

    public ValueTask DisposeAsync() => _opener.DataSource.DisposeAsync();

    private SessionIdentity Identity(NpgsqlConnection connection)
        => _identities.TryGetValue(connection, out var identity) ? identity : throw new InvalidOperationException("Not a connection of this pool.");
}
