using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using Npgsql;
using IsolationLevel = System.Data.IsolationLevel;

namespace PgPool.Data;

/// <summary>A connection as ADO.NET knows it: opening rents a lease, closing returns it.</summary>
internal sealed class PoolConnection(ConnectionPool pool, ServerAddress server) : DbConnection
{
    private static readonly RentOptions Rent = new() { Label = "AsDataSource" };

    // Dapper tells by the type of a command's connection what the database can do, and asks before it opens it.
    private static readonly NpgsqlConnection Unopened = new();

    private ConnectionLease? _lease;

    [AllowNull]
    public override string ConnectionString
    {
        get => server.ConnectionString;
        set => throw new NotSupportedException("The connection string is that of the pool: make another pool for another database.");
    }

    public override string Database => _lease?.Connection.Database ?? server.Database;

    public override string DataSource => _lease?.Connection.DataSource ?? server.DataSource;

    public override string ServerVersion => Inner.ServerVersion;

    public override ConnectionState State => _lease?.Connection.State ?? ConnectionState.Closed;

    public override bool CanCreateBatch => true;

    /// <summary>The lease's connection.</summary>
    /// <exception cref="InvalidOperationException">Not open.</exception>
    public NpgsqlConnection Inner => _lease?.Connection ?? throw new InvalidOperationException("The connection is not open.");

    /// <summary>The lease's connection, or one that stands for it until there is a lease.</summary>
    public NpgsqlConnection InnerOrUnopened => _lease?.Connection ?? Unopened;

    public override void Open()
    {
        PrepareToOpen();
        Take(pool.Rent(Rent));
    }

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        PrepareToOpen();
        Take(await pool.RentAsync(Rent, cancellationToken).ConfigureAwait(false));
    }

    public override void Close()
    {
        if (Release() is not { } lease)
            return;
        lease.Dispose();
        OnStateChange(new StateChangeEventArgs(ConnectionState.Open, ConnectionState.Closed));
    }

    public override async Task CloseAsync()
    {
        if (Release() is not { } lease)
            return;
        await lease.DisposeAsync().ConfigureAwait(false);
        OnStateChange(new StateChangeEventArgs(ConnectionState.Open, ConnectionState.Closed));
    }

    public override void ChangeDatabase(string databaseName)
        => throw new NotSupportedException("The database is that of the pool: make another pool for another database.");

    public override void EnlistTransaction(Transaction? transaction) => Inner.EnlistTransaction(transaction);

    public override DataTable GetSchema() => Inner.GetSchema();

    public override DataTable GetSchema(string collectionName) => Inner.GetSchema(collectionName);

    public override DataTable GetSchema(string collectionName, string?[] restrictionValues) => Inner.GetSchema(collectionName, restrictionValues);

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Close();
        base.Dispose(disposing);
    }

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => Inner.BeginTransaction(isolationLevel);

    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
        => await Inner.BeginTransactionAsync(isolationLevel, cancellationToken).ConfigureAwait(false);

    protected override DbCommand CreateDbCommand() => new PoolCommand(this, isItsOwn: false);

    protected override DbBatch CreateDbBatch() => new PoolBatch(this, isItsOwn: false);

    private void PrepareToOpen()
    {
        if (State != ConnectionState.Closed)
            throw new InvalidOperationException("The connection is open already.");
        // What it had broke: that goes back first.
        Close();
    }

    private void Take(ConnectionLease lease)
    {
        _lease = lease;
        lease.Connection.StateChange += OnInnerStateChange;
        OnStateChange(new StateChangeEventArgs(ConnectionState.Closed, ConnectionState.Open));
    }

    private ConnectionLease? Release()
    {
        var lease = Interlocked.Exchange(ref _lease, null);
        if (lease is not null)
            lease.Connection.StateChange -= OnInnerStateChange;
        return lease;
    }

    // Closed underneath, as by a reader with CommandBehavior.CloseConnection that was not asked for by way of this connection.
    private void OnInnerStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Closed)
            Close();
    }
}
