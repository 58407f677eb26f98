using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using Npgsql;
using PgPool.Engine;
using IsolationLevel = System.Data.IsolationLevel;

namespace PgPool.Data;

/// <summary>A connection as ADO.NET knows it: opening rents a lease, closing returns it.</summary>
internal sealed class PoolConnection(ConnectionPool pool, ServerAddress server, bool refusesScopes) : DbConnection
{
    private static readonly RentOptions Rent = new() { Label = "AsDataSource" };
    private static readonly StateChangeEventArgs Opened = new(ConnectionState.Closed, ConnectionState.Open);
    private static readonly StateChangeEventArgs Closed = new(ConnectionState.Open, ConnectionState.Closed);

    private ConnectionLease? _lease;
    private NpgsqlConnection? _unopened;
    private volatile bool _isDisposed;

    [AllowNull]
    public override string ConnectionString
    {
        get => server.ConnectionString;
        set => throw new NotSupportedException("The connection string is that of the pool: make another pool for another database.");
    }

    public override string Database => _lease?.Peek?.Database ?? server.Database;

    public override string DataSource => _lease?.Peek?.DataSource ?? server.DataSource;

    public override string ServerVersion => Inner.ServerVersion;

    public override ConnectionState State => _lease?.Peek?.State ?? ConnectionState.Closed;

    public override bool CanCreateBatch => true;

    /// <summary>What was rented; null while closed.</summary>
    public ConnectionLease? Lease => _lease;

    /// <summary>The lease's connection.</summary>
    /// <exception cref="InvalidOperationException">Not open.</exception>
    public NpgsqlConnection Inner => _lease?.Connection ?? throw new InvalidOperationException("The connection is not open.");

    /// <summary>
    /// The lease's connection, or one that stands for it until there is a lease: Dapper tells by the type of a command's connection what the database can
    /// do, and asks before it opens it.
    /// </summary>
    public NpgsqlConnection InnerOrUnopened => _lease?.Connection ?? (_unopened ??= new NpgsqlConnection());

    public override void Open()
    {
        PrepareToOpen();
        Take(pool.Rent(Rent));
    }

    // Not an async method: a rent is noted in the flow of whoever calls.
    public override Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            PrepareToOpen();
            return TakeAsync(pool.RentAsync(Rent, cancellationToken));
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }

    public override void Close() => Close(_lease);

    /// <summary>Closes what was opened with this lease, if that is still open.</summary>
    public void Close(ConnectionLease? lease)
    {
        if (!Release(lease))
            return;
        lease.Dispose();
        OnStateChange(Closed);
    }

    public override Task CloseAsync() => CloseAsync(_lease);

    /// <inheritdoc cref="Close(ConnectionLease?)"/>
    public async Task CloseAsync(ConnectionLease? lease)
    {
        if (!Release(lease))
            return;
        await lease.DisposeAsync().ConfigureAwait(false);
        OnStateChange(Closed);
    }

    public override void ChangeDatabase(string databaseName)
        => throw new NotSupportedException("The database is that of the pool: make another pool for another database.");

    public override void EnlistTransaction(Transaction? transaction) => Inner.EnlistTransaction(transaction);

    public override DataTable GetSchema() => Inner.GetSchema();

    public override DataTable GetSchema(string collectionName) => Inner.GetSchema(collectionName);

    public override DataTable GetSchema(string collectionName, string?[] restrictionValues) => Inner.GetSchema(collectionName, restrictionValues);

    public override async ValueTask DisposeAsync()
    {
        MarkDisposed();
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        MarkDisposed();
        if (disposing)
            Close();
        base.Dispose(disposing);
    }

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => Inner.BeginTransaction(isolationLevel);

    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
        => await Inner.BeginTransactionAsync(isolationLevel, cancellationToken).ConfigureAwait(false);

    protected override DbCommand CreateDbCommand() => new PoolCommand(this, isItsOwn: false);

    protected override DbBatch CreateDbBatch() => new PoolBatch(this, isItsOwn: false);

    // Before the lease is looked for: an open that ends just now sets its lease, and then looks here. One of both must see the other.
    private void MarkDisposed()
    {
        _isDisposed = true;
        Interlocked.MemoryBarrier();
    }

    private void PrepareToOpen()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (State != ConnectionState.Closed)
            throw IsOpenAlready();
        if (refusesScopes && Transaction.Current is not null)
        {
            throw new NotSupportedException(
                "AsDataSource's connections do not join a TransactionScope: use BeginTransaction, or a lease whose Connection.EnlistTransaction you call. "
                + "To run outside of the scope, suppress it, or put Enlist=false into the pool's connection string.");
        }
        // What it had broke: that goes back first.
        Close();
    }

    private async Task TakeAsync(ValueTask<ConnectionLease> renting) => Take(await renting.ConfigureAwait(false));

    private void Take(ConnectionLease lease)
    {
        if (Interlocked.CompareExchange(ref _lease, lease, null) is not null)
        {
            lease.Dispose();
            throw IsOpenAlready();
        }
        if (_isDisposed)
        {
            if (Release(lease))
                lease.Dispose();
            throw new ObjectDisposedException(nameof(DbConnection), "The connection was disposed while it was being opened.");
        }
        if (lease.Peek is { } session)
            session.StateChange += OnSessionStateChange;
        OnStateChange(Opened);
    }

    private bool Release([NotNullWhen(true)] ConnectionLease? lease)
    {
        if (lease is null || Interlocked.CompareExchange(ref _lease, null, lease) != lease)
            return false;
        if (lease.Peek is { } session)
            session.StateChange -= OnSessionStateChange;
        return true;
    }

    // It broke, or was closed underneath: by a reader with CommandBehavior.CloseConnection, for one, that was not asked for by way of this connection.
    private void OnSessionStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState != ConnectionState.Closed || _lease is not { } lease || lease.Peek != sender || !Release(lease))
            return;
        // Not on this thread, which met the failure and may hold locks of Npgsql's; nor on one of the thread pool, all of which may wait for this place.
        Background.Run(forBlocked: true, static (broken, _) => broken.Dispose(), lease);
        OnStateChange(Closed);
    }

    private static InvalidOperationException IsOpenAlready() => new("The connection is open already.");
}
