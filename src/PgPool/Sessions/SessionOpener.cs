using Npgsql;

namespace PgPool.Sessions;

/// <summary>Opens physical sessions, from the one data source of the pool.</summary>
internal sealed class SessionOpener
{
    /// <summary>The statements of the session reset each take a place among the automatically prepared ones, and must not push out the user's.</summary>
    private const int StatementsOfReset = 10;

    private readonly ConnectionPoolOptions _options;

    public SessionOpener(ConnectionPoolOptions options, string poolName)
    {
        _options = options;
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString) { Name = poolName };
        if (options.LoggerFactory is { } loggers)
            builder.UseLoggerFactory(loggers);
        options.ConfigureDataSource?.Invoke(builder);
        Adapt(builder.ConnectionStringBuilder, options);
        DataSource = builder.Build();
    }

    /// <summary>One for the pool's whole life: the database's types are loaded once for each data source.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Opens a session, within <see cref="ConnectionPoolOptions.OpenTimeout"/>.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(bool async, CancellationToken cancellationToken)
    {
        var connection = DataSource.CreateConnection();
        using var deadline = new CancellationTokenSource(_options.OpenTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            if (async)
                await connection.OpenAsync(either.Token).ConfigureAwait(false);
            else
                connection.Open();
            return connection;
        }
        catch (OperationCanceledException exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                FormattableString.Invariant($"Opening a connection took longer than OpenTimeout ({_options.OpenTimeout.TotalSeconds:0.###} s)."), exception);
        }
    }

    /// <summary>What the pool itself sees to is switched off underneath.</summary>
    private static void Adapt(NpgsqlConnectionStringBuilder settings, ConnectionPoolOptions options)
    {
        if (string.IsNullOrWhiteSpace(settings.Host))
            throw ConnectionPoolOptionsValidation.Bad(nameof(ConnectionPoolOptions.ConnectionString), "must have a Host");
        settings.Pooling = false;
        // An open in a renter's TransactionScope would join it, and the pool would lend out a connection that is in somebody's transaction.
        settings.Enlist = false;
        // Npgsql's keep-alive timer keeps a connection that was dropped without being returned reachable for ever.
        settings.KeepAlive = 0;
        // In whole seconds, and 0 would be for ever. It is what bounds a synchronous open.
        settings.Timeout = (int)Math.Clamp(Math.Ceiling(options.OpenTimeout.TotalSeconds), 1, 1024);
        if (settings.MaxAutoPrepare > 0)
            settings.MaxAutoPrepare += StatementsOfReset;
    }
}
