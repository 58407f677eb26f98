namespace PgPool;

/// <summary>The server refused for good: wrong password, no such database or role, a certificate that does not fit.</summary>
/// <remarks>
/// Those that waited when the attempt to open began get it at once; each later rent tries again. <see cref="Exception.InnerException"/> is Npgsql's exception.
/// </remarks>
public sealed class PoolConnectException : PoolException
{
    internal PoolConnectException(string message, PoolStatistics statistics, Exception innerException) : base(message, statistics, innerException)
    {
    }
}
