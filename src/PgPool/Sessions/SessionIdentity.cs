using Npgsql;

namespace PgPool.Sessions;

/// <summary>What a session was when it was opened, to be compared when it comes back; with the commands kept for it.</summary>
internal sealed class SessionIdentity(NpgsqlConnection connection)
{
    /// <summary>Settings that clients give when they connect, of those that the server tells when they change.</summary>
    private static readonly string[] StartupSettings =
        ["client_encoding", "TimeZone", "application_name", "DateStyle", "IntervalStyle", "standard_conforming_strings", "search_path"];

    private readonly string _database = connection.Database;
    private string?[]? _settings = Array.ConvertAll(StartupSettings, name => connection.PostgresParameters.GetValueOrDefault(name));

    public int ProcessId { get; } = connection.ProcessID;

    public (string? Host, int Port) Server { get; } = (connection.Host, connection.Port);

    /// <summary>The reset of a session without prepared statements, made once.</summary>
    public NpgsqlCommand? DiscardAll { get; set; }

    /// <summary>What completes with the System.Transactions transaction that the session took part in when it was given back; null where it took part in none.</summary>
    public Task? TransactionEnds { get; set; }

    /// <summary>
    /// The settings that a reset has taken from the session; null where it took none. No I/O. To a server a pooler's own SETs, by which it passes on
    /// what its client asked for, are settings like any other. The first reset tells: what changes later is the administrator's doing.
    /// </summary>
    public Dictionary<string, string>? LostSettings(NpgsqlConnection connection)
    {
        if (_settings is null)
            return null;
        Dictionary<string, string>? lost = null;
        var current = connection.PostgresParameters;
        for (var i = 0; i < StartupSettings.Length; i++)
        {
            if (_settings[i] is { } opened && current.GetValueOrDefault(StartupSettings[i]) != opened)
                (lost ??= [])[StartupSettings[i]] = opened;
        }
        if (lost is null)
            _settings = null;
        return lost;
    }

    /// <summary>The session that the connection has now: its renter may have reopened it.</summary>
    public SessionIdentity Current(NpgsqlConnection connection)
    {
        try
        {
            return new SessionIdentity(connection);
        }
        catch (InvalidOperationException)
        {
            return this;
        }
    }

    /// <summary>False once the user closed and reopened the connection, or changed its database. No I/O.</summary>
    public bool Holds(NpgsqlConnection connection)
    {
        try
        {
            return connection.ProcessID == ProcessId && connection.Database == _database;
        }
        catch (InvalidOperationException)
        {
            // It was closed just now.
            return false;
        }
    }
}
