using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using PgPool.Diagnostics;
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

    private readonly ServerCapacity _capacity;

    public NpgsqlDriver(ConnectionPoolOptions options, string poolName, ServerCapacity capacity)
    {
        _options = options;
        _capacity = capacity;
        _opener = new SessionOpener(options, poolName);
        _validator = new SessionValidator(options);
        _hooks = new SessionHooks(options);
        _resetter = new SessionResetter(options, new SessionCleaner(options, _opener.AutoPrepares), _hooks);
        _severer = new SessionSeverer(_opener, options);
        Tracing = new PoolTracing(poolName, _opener.Server, options.TimeProvider);
    }

    public event Action? SessionBroke;

    public PoolTracing Tracing { get; }

    /// <summary>Where the sessions lead to. Has the password, which goes nowhere.</summary>
    public NpgsqlConnectionStringBuilder Server => _opener.Server;

    /// <inheritdoc cref="SessionOpener.Enlists"/>
    public bool Enlists => _opener.Enlists;

    public async ValueTask<NpgsqlConnection> OpenAsync(bool async, CancellationToken cancellationToken)
    {
        var span = Tracing.StartOpen();
        try
        {
            var connection = await OpenSessionAsync(async, cancellationToken).ConfigureAwait(false);
            PoolTracing.EndOpen(span, connection, failure: null);
            return connection;
        }
        catch (Exception exception)
        {
            PoolTracing.EndOpen(span, connection: null, exception);
            throw;
        }
    }

    private async ValueTask<NpgsqlConnection> OpenSessionAsync(bool async, CancellationToken cancellationToken)
    {
        var startedAt = _options.TimeProvider.GetTimestamp();
        var connection = await _opener.OpenAsync(async, cancellationToken).ConfigureAwait(false);
        var identity = new SessionIdentity(connection);
        try
        {
            if (!await _validator.AskAsync(connection, Left(), async).ConfigureAwait(false))
                throw new ServerReadOnlyException(connection.Host, connection.Port);
            await _capacity.AskOnceAsync(connection, Left(), _options.TimeProvider, async).ConfigureAwait(false);
            await _hooks.OpenedAsync(connection, Left(), async, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // The hook may have left a command running.
            await _severer.CloseAsync(connection, identity, async, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        _identities.Add(connection, identity);
        connection.StateChange += OnStateChange;
        return connection;

        TimeSpan Left()
        {
            var left = _options.OpenTimeout - _options.TimeProvider.GetElapsedTime(startedAt);
            return left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
        }
    }

    public int BackendProcessId(NpgsqlConnection connection) => Identity(connection).ProcessId;

    public ValueTask<bool> ValidateAsync(NpgsqlConnection connection, bool async) => _validator.ValidateAsync(connection, async);

    public void Returning(NpgsqlConnection connection) => Identity(connection).TransactionEnds = SessionEnlistment.EndOf(connection);

    public bool MayResetLater(NpgsqlConnection connection)
        => _resetter.TakesTime(connection) && Identity(connection).TransactionEnds is null;

    public ValueTask<ResetVerdict> ResetAsync(NpgsqlConnection connection, bool async, CancellationToken severing)
    {
        var identity = Identity(connection);
        if (SessionEnlistment.IsActive(connection, identity))
            return RetireWhenFreeAsync(connection, identity, severing);
        return SessionState.Of(connection) switch
        {
            ConnectionState.Open when identity.Holds(connection) => _resetter.ResetAsync(connection, identity, async),
            ConnectionState.Open or ConnectionState.Closed => new(new ResetVerdict(CloseReason.SessionReplaced)),
            ConnectionState.Broken => new(new ResetVerdict(CloseReason.Broken)),
            _ => new(new ResetVerdict(CloseReason.Broken, WasDirty: true)),
        };
    }

    public async ValueTask CloseAsync(NpgsqlConnection connection, bool async, CancellationToken severing)
    {
        // Its end is the pool's own doing now, and says nothing of the server.
        connection.StateChange -= OnStateChange;
        await _severer.CloseAsync(connection, Identity(connection), async, severing).ConfigureAwait(false);
    }

    public OpenFailure Classify(Exception exception) => OpenErrors.Classify(exception);

    /// <summary>Reads the database's types again, for connections opened from now on.</summary>
    public Task ReloadTypesAsync(CancellationToken cancellationToken) => _opener.DataSource.ReloadTypesAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _severer.Dispose();
        await _opener.DataSource.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Its renter has returned it before the end of the transaction that it is enlisted in. It is not lent again: Npgsql disposes its own transaction
    /// object only after it has told that it is committed, and would by then roll back what the next renter has begun with the same object.
    /// </summary>
    private async ValueTask<ResetVerdict> RetireWhenFreeAsync(NpgsqlConnection connection, SessionIdentity identity, CancellationToken severing)
        => await SessionEnlistment.EndsAsync(connection, identity, _options.TimeProvider, severing).ConfigureAwait(false)
            ? new ResetVerdict(CloseReason.Enlisted)
            : new ResetVerdict(CloseReason.PoolClosed);

    // On the thread that met the failure, which may hold locks of Npgsql's.
    private void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (SessionState.Of((NpgsqlConnection)sender) == ConnectionState.Broken)
            SessionBroke?.Invoke();
    }

    private SessionIdentity Identity(NpgsqlConnection connection)
        => _identities.TryGetValue(connection, out var identity) ? identity : throw new InvalidOperationException("Not a connection of this pool.");
}
