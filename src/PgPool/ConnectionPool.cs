using System.Data.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PgPool.Data;
using PgPool.Diagnostics;
using PgPool.Engine;
using PgPool.Sessions;

namespace PgPool;

/// <summary>A bounded, thread-safe pool of physical PostgreSQL connections.</summary>
/// <remarks>
/// <para>
/// Constructing does no network I/O on the caller and succeeds with the server down; filling to <see cref="ConnectionPoolOptions.MinSize"/>
/// starts at once in the background. Once disposed, everything but <see cref="Name"/>, <see cref="GetStatistics"/>, <see cref="GetLeases"/> and
/// disposing again throws <see cref="ObjectDisposedException"/>.
/// </para>
/// <para>
/// Waiters are served first come, first served within a priority. A waiter gets whichever is first: a returned connection or a newly opened one.
/// Opening runs in the background: cancelling or timing out a rent never cancels the open, whose connection then goes to the next waiter or idle.
/// </para>
/// </remarks>
/// <example><code>
/// await using var pool = new ConnectionPool("Host=localhost;Username=app;Database=shop;Maximum Pool Size=8");
/// await using var lease = await pool.RentAsync(ct);
/// await using var command = lease.CreateCommand("SELECT 1");
/// await command.ExecuteScalarAsync(ct);
/// </code></example>
public sealed partial class ConnectionPool : IAsyncDisposable, IDisposable
{
    private static int _generatedNames;

    private readonly ConnectionPoolOptions _options;
    private readonly NpgsqlDriver _driver;
    private readonly PoolEngine<NpgsqlConnection> _engine;
    private readonly PoolEvents _events;
    private readonly PoolMetrics _metrics;
    private readonly ServerCapacity _capacity = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads the pool keywords of an Npgsql connection string too: see <see cref="ConnectionPoolOptions.FromConnectionString"/>.</summary>
    /// <param name="connectionString">Any Npgsql connection string.</param>
    /// <exception cref="ArgumentException">A value is out of range, or a keyword unknown: the message names it.</exception>
    public ConnectionPool(string connectionString) : this(ConnectionPoolOptions.FromConnectionString(connectionString))
    {
    }

    /// <summary>The options are copied and validated: later changes to <paramref name="options"/> have no effect.</summary>
    /// <param name="options">How the pool behaves.</param>
    /// <exception cref="ArgumentException">A value is out of range: the message names the property and the range.</exception>
    public ConnectionPool(ConnectionPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Copy();
        _options.Validate();
        Name = _options.Name ?? $"PgPool-{Interlocked.Increment(ref _generatedNames)}";
        _watchesFlows = _options.NestedRents != NestedRentPolicy.Allow;
        _keepsDetails = _watchesFlows || _options.CaptureRentStackTraces;
        _metrics = new PoolMetrics(_options.MeterFactory, Name, GetStatistics);
        _events = new PoolEvents((_options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("PgPool"), Name, _capacity, _metrics);
        _driver = new NpgsqlDriver(_options, Name, _capacity);
        _engine = new PoolEngine<NpgsqlConnection>(_driver, EngineOptions.From(_options, Name), _events);
        _metrics.Start();
        _engine.Start();
        _events.PoolMade(_options.MinSize, _options.MaxSize);
    }

    /// <summary>Given or generated ("PgPool-1"); appears in every message, log entry and metric of the pool.</summary>
    public string Name { get; }

    /// <summary>Connections, idle or not, that exist at least.</summary>
    public int MinSize => Open.MinSize;

    /// <summary>Connections that exist, are being opened or reset, at most.</summary>
    public int MaxSize => Open.MaxSize;

    /// <summary>Whether rents wait for <see cref="Resume"/>.</summary>
    public bool IsSuspended => Open.IsSuspended;

    /// <summary>The engine, of a pool that is not closed.</summary>
    private PoolEngine<NpgsqlConnection> Open => _engine.IsClosed ? throw Disposed() : _engine;

    /// <summary>One moment of the pool, consistent in itself, and totals since it was made. Never throws.</summary>
    public PoolStatistics GetStatistics() => _engine.GetStatistics();

    /// <summary>The leases that are out, oldest first: who holds what, since when, rented where. Never throws.</summary>
    public IReadOnlyList<LeaseInfo> GetLeases() => _engine.GetLeases();

    /// <summary>
    /// The pool for code written against ADO.NET (Dapper and the like). Commands it creates are <see cref="NpgsqlCommand"/>s; closing a connection of
    /// it returns the lease. Disposing the data source does not dispose the pool.
    /// </summary>
    /// <remarks>
    /// Its connections are of no type of Npgsql's: where that is asked for (EF Core, linq2db, COPY), rent a lease and use its
    /// <see cref="ConnectionLease.Connection"/>. The <see cref="DbCommand.Connection"/> of its commands and the <see cref="DbTransaction.Connection"/> of
    /// its transactions are that connection. Keep commands in variables of ADO.NET's types: executing one as an <see cref="NpgsqlCommand"/> passes by what
    /// opens and closes its connection. Opening a connection in a <see cref="System.Transactions.TransactionScope"/> throws <see cref="NotSupportedException"/>,
    /// unless the pool's connection string has <c>Enlist=false</c>: then it does not take part in the scope.
    /// </remarks>
    public DbDataSource AsDataSource()
    {
        _ = Open;
        return new PoolDataSource(this, _driver.Server, refusesScopes: _driver.Enlists);
    }

    private ObjectDisposedException Disposed() => new(nameof(ConnectionPool), $"PgPool '{Name}' is closed.");
}
