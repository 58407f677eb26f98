using Npgsql;

namespace PgPool.Sessions;

/// <summary>Opens physical sessions, from the one data source of the pool.</summary>
internal sealed class SessionOpener
{
    /// <summary>The statements of the session reset each take a place among the automatically prepared ones, and must not push out the user's.</summary>
    private const int StatementsOfReset = 10;

    private readonly ConnectionPoolOptions _options;

    /// <summary>The data source when it has several hosts.</summary>
    private readonly NpgsqlMultiHostDataSource? _hosts;

    public SessionOpener(ConnectionPoolOptions options, string poolName)
    {
        _options = options;
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString) { Name = poolName };
        if (options.LoggerFactory is { } loggers)
            builder.UseLoggerFactory(loggers);
        options.ConfigureDataSource?.Invoke(builder);
        Enlists = builder.ConnectionStringBuilder.Enlist;
        Adapt(builder.ConnectionStringBuilder, options);
        Server = builder.ConnectionStringBuilder;
        AutoPrepares = Server.MaxAutoPrepare > 0;
        DataSource = builder.Build();
        _hosts = DataSource as NpgsqlMultiHostDataSource;
    }

    /// <summary>One for the pool's whole life: the database's types are loaded once for each data source.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Where it leads to. Has the password, which goes nowhere.</summary>
    public NpgsqlConnectionStringBuilder Server { get; }

    /// <summary>Whether Npgsql prepares by itself what is run often enough.</summary>
    public bool AutoPrepares { get; }

    /// <summary>Whether the user's connection string has connections join a TransactionScope that they are opened in.</summary>
    public bool Enlists { get; }

    /// <summary>Opens a session, within <see cref="ConnectionPoolOptions.OpenTimeout"/>.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(bool async, CancellationToken cancellationToken)
    {
        var connection = DataSource.CreateConnection();
        using var deadline = new CancellationTokenSource(_options.OpenTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            if (async)
                await OpenOrGiveUpAsync(connection, either.Token).ConfigureAwait(false);
            else
                connection.Open();
            return connection;
        }
        catch (Exception exception)
        {
            // What Npgsql remembers of the hosts may be why: it takes one to be down, for 10 s, when a single session of it was terminated.
            _hosts?.ClearDatabaseStates();
            if (exception is OperationCanceledException && deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException(
                    FormattableString.Invariant($"Opening a connection took longer than OpenTimeout ({_options.OpenTimeout.TotalSeconds:0.###} s)."), exception);
            }
            if (_hosts is not null && NoHost(exception) is { } why)
                throw new NpgsqlException(why, exception);
            throw;
        }
    }

    /// <summary>Npgsql does not heed its token while it negotiates encryption. What is given up is closed when it ends, at its own time-out at the latest.</summary>
    private static async ValueTask OpenOrGiveUpAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var opening = connection.OpenAsync(cancellationToken);
        try
        {
            await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It may be opened all the same, now or later.
            _ = opening.ContinueWith(
                static (late, connection) =>
                {
                    _ = late.Exception;
                    ((NpgsqlConnection)connection!).Dispose();
                },
                connection, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>What Npgsql says in general terms, of several hosts, in particular ones.</summary>
    private static string? NoHost(Exception exception) => exception switch
    {
        PostgresException => null,
        NpgsqlException { InnerException: AggregateException failures } =>
            $"No host could be opened: {string.Join("; ", failures.InnerExceptions.Select(static failure => failure.Message))}",
        // All answer, or have answered a moment ago.
        NpgsqlException { InnerException: null } => "No host is at present what Target Session Attributes asks for",
        _ => null,
    };

    /// <summary>What the pool itself sees to is switched off underneath.</summary>
    private static void Adapt(NpgsqlConnectionStringBuilder settings, ConnectionPoolOptions options)
    {
        if (string.IsNullOrWhiteSpace(settings.Host))
            throw Bad("must have a Host");
        settings.Pooling = false;
        // An open in a renter's TransactionScope would join it, and the pool would lend out a connection that is in somebody's transaction.
        settings.Enlist = false;
        // Npgsql's keep-alive timer keeps a connection that was dropped without being returned reachable for ever.
        settings.KeepAlive = 0;
        // In whole seconds, and 0 would be for ever. It is what bounds a synchronous open.
        settings.Timeout = (int)Math.Clamp(Math.Ceiling(options.OpenTimeout.TotalSeconds), 1, 1024);
        // Where a server does not answer, the attempt with GSS encryption uses all the time up, and Npgsql takes the nothing that is left to the one
        // without for no limit at all: one in four synchronous opens never ends.
        if (!settings.Keys.Contains("GSS Encryption Mode", StringComparer.OrdinalIgnoreCase) && Environment.GetEnvironmentVariable("PGGSSENCMODE") is null)
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
        if (settings.MaxAutoPrepare > 0)
            settings.MaxAutoPrepare += StatementsOfReset;
        AdaptHosts(settings, options);
    }

    private static void AdaptHosts(NpgsqlConnectionStringBuilder settings, ConnectionPoolOptions options)
    {
        var hosts = settings.Host!.Split(',').Length;
        var wanted = settings.TargetSessionAttributes;
        if (hosts == 1)
        {
            if (wanted is not (null or "any"))
                throw Bad("has Target Session Attributes, which Npgsql heeds for several hosts only: for a single one, set RequireReadWrite");
            return;
        }
        if (options.RequireReadWrite)
        {
            // Any of them but this, primary included, may end at a host that the pool then refuses, again and again.
            if (wanted is "standby" or "read-only")
                throw Bad($"has Target Session Attributes={wanted}, against RequireReadWrite");
            settings.TargetSessionAttributes = wanted = "read-write";
        }

        // Npgsql has one time for each host. All get their turn within OpenTimeout: two where one is only preferred, as it then goes round them again.
        var rounds = wanted?.StartsWith("prefer", StringComparison.Ordinal) == true ? 2 : 1;
        settings.Timeout = Math.Max(1, settings.Timeout / (rounds * hosts));
    }

    private static ArgumentException Bad(string rule) => ConnectionPoolOptionsValidation.Bad(nameof(ConnectionPoolOptions.ConnectionString), rule);
}
