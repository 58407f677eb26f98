using Npgsql;

namespace PgPool.Tests.Integration.Faults;

/// <summary>A hook OnConnectionOpened that holds a new session, when it is closed, and then uses it.</summary>
internal sealed class OpenGate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isClosed;
    private volatile bool _isReached;

    /// <summary>A session is held, or was.</summary>
    public bool IsReached => _isReached;

    public void Close() => _isClosed = true;

    public void Open() => _opened.TrySetResult();

    public async ValueTask PassAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!_isClosed)
            return;
        _isReached = true;
        await _opened.Task;
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await command.ExecuteScalarAsync(cancellationToken);
    }
}
