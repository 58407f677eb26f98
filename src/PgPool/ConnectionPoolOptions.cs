using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace PgPool;

/// <summary>How a <see cref="ConnectionPool"/> behaves. The pool copies and validates it when it is made.</summary>
/// <remarks>
/// Bad values are refused by the pool's constructor with an <see cref="ArgumentException"/> that names the property and its range.
/// Durations are at most 24 days where they are finite.
/// </remarks>
public sealed class ConnectionPoolOptions
{
    /// <summary>Options with their defaults and an empty <see cref="ConnectionString"/>.</summary>
    public ConnectionPoolOptions()
    {
    }

    /// <summary>
    /// Sets <see cref="ConnectionString"/> alone: its pool keywords have no effect. See <see cref="FromConnectionString"/>.
    /// </summary>
    /// <param name="connectionString">Any Npgsql connection string.</param>
    public ConnectionPoolOptions(string connectionString)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        ConnectionString = connectionString;
    }

    /// <summary>Makes options from an Npgsql application's own connection string, its pool keywords included.</summary>
    /// <remarks>
    /// Minimum and Maximum Pool Size, Timeout (as <see cref="RentTimeout"/> and <see cref="OpenTimeout"/>), Connection Lifetime, Connection Idle
    /// Lifetime, Keepalive (as <see cref="KeepAliveInterval"/>; 0: never) and No Reset On Close (as <see cref="SessionReset.RollbackOnly"/>) are
    /// taken over. A Timeout of 0 waits for ever for a connection; a lifetime of 0 is infinite. Keywords that are absent leave this class's
    /// defaults; a minimum without a maximum raises the maximum to it where need be.
    /// </remarks>
    /// <param name="connectionString">Any Npgsql connection string.</param>
    /// <exception cref="ArgumentException">The string is malformed, or has a keyword that Npgsql does not know: named in the message.</exception>
    public static ConnectionPoolOptions FromConnectionString(string connectionString)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        var options = new ConnectionPoolOptions();
        options.UseConnectionString(connectionString);
        return options;
    }

    /// <summary>Sets <see cref="ConnectionString"/>, and takes its pool keywords over as <see cref="FromConnectionString"/> does.</summary>
    /// <param name="connectionString">Any Npgsql connection string.</param>
    /// <exception cref="ArgumentException">The string is malformed, or has a keyword that Npgsql does not know: named in the message.</exception>
    public void UseConnectionString(string connectionString)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        ConnectionStringKeywords.Apply(connectionString, this);
        ConnectionString = connectionString;
    }

    /// <summary>
    /// Any Npgsql connection string, several hosts included. Npgsql's own pooling is always off underneath, and so are Enlist and Keepalive; Timeout is
    /// replaced by <see cref="OpenTimeout"/>; GSS encryption is off unless the string or PGGSSENCMODE asks for it. Target Session Attributes needs
    /// several hosts.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Type mappings, password providers, TLS callbacks: everything Npgsql's builder can do. Runs once, in the pool's constructor;
    /// <see langword="null"/>, the default, changes nothing.
    /// </summary>
    public Action<NpgsqlDataSourceBuilder>? ConfigureDataSource { get; set; }

    /// <summary>Appears in every message, log entry and metric; <see langword="null"/>, the default, has one generated ("PgPool-1").</summary>
    public string? Name { get; set; }

    /// <summary>Connections, idle or not, that exist at least: 0 to <see cref="MaxSize"/>. The default is 1.</summary>
    public int MinSize { get; set; } = 1;

    /// <summary>Connections that exist, are being opened or reset, at most: 1 or more. The default is 10.</summary>
    public int MaxSize { get; set; } = 10;

    /// <summary>How long a rent waits for a connection. Zero: not at all. Infinite: for ever. The default is 30 seconds.</summary>
    public TimeSpan RentTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Rents beyond this many waiters fail at once with <see cref="PoolQueueFullException"/>; 0: no rent ever waits. A
    /// <see cref="ConnectionPool.RentManyAsync"/> counts as one. The default is <see cref="int.MaxValue"/>.
    /// </summary>
    public int MaxWaiting { get; set; } = int.MaxValue;

    /// <summary>What to do about a flow that holds a lease and rents another. The default is <see cref="NestedRentPolicy.Allow"/>.</summary>
    public NestedRentPolicy NestedRents { get; set; } = NestedRentPolicy.Allow;

    /// <summary>
    /// The budget of one attempt to open a physical connection; more than zero and finite. With several hosts it is divided among them. Blocking opens
    /// count in whole seconds, at least one a host. The default is 15 seconds.
    /// </summary>
    public TimeSpan OpenTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Physical connections opened at the same time, at most: 1 or more; those that hang included, so that with 1 a server that is back after such a
    /// time may be noticed only at <see cref="OpenTimeout"/>. The default is 4.
    /// </summary>
    public int MaxConcurrentOpens { get; set; } = 4;

    /// <summary>
    /// After a transient failure to open: the first retry at once, then this delay, doubled up to <see cref="MaxReconnectDelay"/>, with jitter.
    /// More than zero and finite. The default is 100 milliseconds.
    /// </summary>
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest delay between two attempts while the server is down; not below <see cref="ReconnectDelay"/>. The default is 2 seconds.</summary>
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Idle connections above <see cref="MinSize"/> close after this long without use. Infinite: never. The default is 10 minutes.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The age at which a connection is replaced. Infinite: never. Shortened per connection, once, by a random share of up to
    /// <see cref="LifetimeJitter"/>. Its replacement is opened shortly before, while <see cref="MaxSize"/> has room. The default is 30 minutes.
    /// </summary>
    public TimeSpan MaxLifetime { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>The largest share of <see cref="MaxLifetime"/> that is taken off at random: 0 to 1. The default is 0.25.</summary>
    public double LifetimeJitter { get; set; } = 0.25;

    /// <summary>Which of several idle connections is lent next. The default is <see cref="IdleOrder.Lifo"/>.</summary>
    public IdleOrder IdleOrder { get; set; } = IdleOrder.Lifo;

    /// <summary>An idle connection unused for this long is pinged before it is lent. Zero: always. Infinite: never. The default is 1 second.</summary>
    public TimeSpan ValidateAfterIdle { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Idle connections are pinged in the background this often, one at a time, the longest idle first. More than zero. Infinite: never. The default is 2 minutes.
    /// </summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a ping may take; more than zero and finite. The default is 5 seconds.</summary>
    public TimeSpan ValidationTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// New sessions are asked, and validation too, whether they can write: a standby or a read-only server is refused, as one that is down is. Of several
    /// hosts it chooses the one to write to (Target Session Attributes=read-write). The default is <see langword="false"/>.
    /// </summary>
    public bool RequireReadWrite { get; set; }

    /// <summary>What is done to a session between two leases. The default is <see cref="SessionReset.Full"/>.</summary>
    public SessionReset SessionReset { get; set; } = SessionReset.Full;

    /// <summary>More than zero and finite; a reset that takes longer closes the connection. The default is 5 seconds.</summary>
    public TimeSpan ResetTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Logs a warning, with the place of the rent, for a lease held longer, and a notice when it is returned after that. More than zero. Infinite, the
    /// default: off.
    /// </summary>
    public TimeSpan LeaseWarningAfter { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Adds a full stack trace to the caller's file and line, which are always kept. The default is <see langword="false"/>.</summary>
    public bool CaptureRentStackTraces { get; set; }

    /// <summary>
    /// Runs once per physical connection, before it is first lent. If it throws, the connection is closed and counts as a transient failure to
    /// open. A full reset undoes SETs made here: put settings into the connection string's Options, or repeat them in
    /// <see cref="OnConnectionReturned"/>.
    /// </summary>
    public Func<NpgsqlConnection, CancellationToken, ValueTask>? OnConnectionOpened { get; set; }

    /// <summary>Runs after the reset of a returned connection. If it throws, the connection is closed.</summary>
    public Func<NpgsqlConnection, CancellationToken, ValueTask>? OnConnectionReturned { get; set; }

    /// <summary>Where the pool, and Npgsql underneath, write their logs; <see langword="null"/>, the default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Makes the meter "PgPool" (<see cref="PgPoolTelemetry.MeterName"/>); <see langword="null"/>, the default: the process has one. A container's own is
    /// taken by AddPgPool.
    /// </summary>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>Where the pool takes all its times from. The default is <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Checks the options, as the pool's constructor does.</summary>
    /// <exception cref="ArgumentException">A value is out of range: <see cref="ArgumentException.ParamName"/> is the property, and the message has the range.</exception>
    public void Validate() => ConnectionPoolOptionsValidation.Validate(this);

    internal ConnectionPoolOptions Copy() => (ConnectionPoolOptions)MemberwiseClone();
}
