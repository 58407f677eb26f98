using Npgsql;
using PgPool.Engine;

namespace PgPool;

/// <summary>A borrowed connection. Disposing it is the only way to give it back; disposing twice does nothing.</summary>
/// <remarks>
/// A lease and its connection belong to one flow at a time, as an <see cref="NpgsqlConnection"/> does. Do not use the connection, or anything made
/// of it, after the lease was returned: it may be somebody else's by then. (A reader or a transaction disposed that late does no harm.) A connection
/// that was enlisted in a System.Transactions transaction (<see cref="NpgsqlConnection.EnlistTransaction"/>) may be returned before that ends: the pool
/// keeps it until then, and closes it.
/// </remarks>
/// <example><code>
/// await using var lease = await pool.RentAsync(ct);
/// await using var command = lease.CreateCommand("SELECT count(*) FROM orders");
/// var orders = (long)(await command.ExecuteScalarAsync(ct))!;
/// </code></example>
public sealed class ConnectionLease : IDisposable, IAsyncDisposable
{
    // 64 bytes with the object's header: what a rent allocates, and all that it does.
    private readonly PoolEngine<NpgsqlConnection> _engine;
    private readonly Slot<NpgsqlConnection> _slot;
    private NpgsqlConnection? _connection;
    private bool _touched;

    internal ConnectionLease(PoolEngine<NpgsqlConnection> engine, in Loan<NpgsqlConnection> loan, string? label)
    {
        _engine = engine;
        _slot = loan.Slot;
        _connection = loan.Connection;
        Id = loan.LeaseId;
        Label = label;
    }

    /// <summary>The connection, open and in the state in which PostgreSQL starts a session. Do not close it: return the lease.</summary>
    /// <exception cref="ObjectDisposedException">The lease was returned.</exception>
    public NpgsqlConnection Connection
    {
        get
        {
            // What was never looked at needs no reset. Noted first: a return at the same time must not take it for untouched.
            _touched = true;
            var connection = _connection;
            ObjectDisposedException.ThrowIf(connection is null, this);
            return connection;
        }
    }

    /// <summary>The connection, for a look at it, which is no use of it; null when the lease was returned.</summary>
    internal NpgsqlConnection? Peek => _connection;

    /// <summary>Unique within the pool.</summary>
    public long Id { get; }

    /// <summary>The label of the rent, if it had one.</summary>
    public string? Label { get; }

    /// <summary>The server's process id of the session, as in pg_stat_activity.</summary>
    public int BackendProcessId => _slot.BackendProcessId;

    /// <summary>Makes a command on the connection; the caller disposes it.</summary>
    /// <param name="commandText">The SQL.</param>
    /// <exception cref="ObjectDisposedException">The lease was returned.</exception>
    public NpgsqlCommand CreateCommand(string commandText) => new(commandText, Connection);

    /// <summary>Has the connection closed rather than reused when the lease is returned.</summary>
    /// <param name="reason">Why, for the log.</param>
    /// <exception cref="ObjectDisposedException">The lease was returned.</exception>
    public void Discard(string? reason = null)
    {
        var connection = _connection;
        ObjectDisposedException.ThrowIf(connection is null, this);
        _engine.Discard(new Loan<NpgsqlConnection>(_slot, connection, Id), reason);
    }

    /// <summary>
    /// Returns the connection. The session reset runs on this thread, which also blocks on the hooks. A command still running is ended on the
    /// server and the connection closed, without this thread waiting for it; it counts against the maximum until it is closed.
    /// </summary>
    public void Dispose() => Return(async: false);

    /// <summary>
    /// Returns the connection. The session reset runs in the background, and the connection is lent again only when it is clean. A command still
    /// running is ended on the server and the connection closed; it counts against the maximum until it is closed.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        Return(async: true);
        return default;
    }

    private void Return(bool async)
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
            _engine.Return(new Loan<NpgsqlConnection>(_slot, connection, Id), _touched, async);
    }
}
