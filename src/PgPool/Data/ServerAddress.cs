using Npgsql;

namespace PgPool.Data;

/// <summary>Where a pool's connections lead to, as far as it may be shown.</summary>
internal sealed class ServerAddress
{
    public ServerAddress(NpgsqlConnectionStringBuilder server)
    {
        Database = server.Database ?? server.Username ?? "";
        DataSource = $"tcp://{server.Host}:{server.Port}";
        var shown = new NpgsqlConnectionStringBuilder(server.ConnectionString);
        shown.Remove(nameof(NpgsqlConnectionStringBuilder.Password));
        shown.Remove("SSL Password");
        ConnectionString = shown.ConnectionString;
    }

    public string Database { get; }

    /// <summary>In Npgsql's notation.</summary>
    public string DataSource { get; }

    /// <summary>Without passwords.</summary>
    public string ConnectionString { get; }
}
