using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Sessions;

/// <summary>PostgreSQL sessions for the engine: the rooms of this folder put together.</summary>
internal sealed class NpgsqlDriver : IConnectionDriver<NpgsqlConnection>, IAsyncDisposable
{
    // Keyed weakly: while a connection is lent, nothing of the pool may keep it reachable.
    private readonly ConditionalWeakTable<NpgsqlConnection, SessionIdentity> _identities = [];

    private readonly ConnectionPoolOptions _options;
    private readonly SessionOpener _opener;
    private readonly SessionValidator _validator;
    private readonly SessionHooks _hooks;
    private readonly SessionResetter _resetter;
    private readonly SessionSeverer _severer;

    public NpgsqlDriver(ConnectionPoolOptions options, string poolName)
    {
        _options = options;
        _opener = new SessionOpener(options, poolName);
        _validator = new SessionValidator(options);
        _hooks = new SessionHooks(options);
        _resetter = new SessionResetter(options, _hooks);
        _severer = new SessionSeverer(_opener, options);
    }

    public async ValueTask<NpgsqlConnection> OpenAsync(bool async, CancellationToken cancellationToken)
    {
        var startedAt = _options.TimeProvider.GetTimestamp();
        var connection = await _opener.OpenAsync(async, cancellationToken).ConfigureAwait(false);
        var identity = new SessionIdentity(connection);
        try
        {
            if (_options.RequireReadWrite && SessionValidator.ReportsReadOnly(connection))
                throw new ServerReadOnlyException(connection.Host, connection.Port);
            var left = _options.OpenTimeout - _options.TimeProvider.GetElapsedTime(startedAt);
            await _hooks.OpenedAsync(connection, left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1), async, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // The hook may have left a command running.
            await _severer.CloseAsync(connection, identity, async).ConfigureAwait(false);
            throw;
        }
        _identities.Add(connection, identity);
        return connection;
    }

    public int BackendProcessId(NpgsqlConnection connection) => Identity(connection).ProcessId;

    public ValueTask<bool> ValidateAsync(NpgsqlConnection connection, bool async) => _validator.ValidateAsync(connection, async);

    public ValueTask<ResetVerdict> ResetAsync(NpgsqlConnection connection, bool async)
    {
        var identity = Identity(connection);
        return SessionState.Of(connection) switch
        {
            ConnectionState.Open when identity.Holds(connection) => _resetter.ResetAsync(connection, identity, async),
            ConnectionState.Open or ConnectionState.Closed => new(new ResetVerdict(CloseReason.SessionReplaced)),
            ConnectionState.Broken => new(new ResetVerdict(CloseReason.Broken, ServerIsSuspect: true)),
            _ => new(new ResetVerdict(CloseReason.Broken, WasDirty: true)),
        };
    }

    public ValueTask CloseAsync(NpgsqlConnection connection, bool async) => _severer.CloseAsync(connection, Identity(connection), async);

    public OpenFailure Classify(Exception exception) => OpenErrors.Classify(exception);

    /// <summary>Reads the database's types again, for connections opened from now on.</summary>
    public Task ReloadTypesAsync(CancellationToken cancellationToken) => _opener.DataSource.ReloadTypesAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _severer.Dispose();
        await _opener.DataSource.DisposeAsync().ConfigureAwait(false);
    }

    private SessionIdentity Identity(NpgsqlConnection connection)
        => _identities.TryGetValue(connection, out var identity) ? identity : throw new InvalidOperationException("Not a connection of this pool.");
}
