using Npgsql;

namespace PgPool.Sessions;

/// <summary>Runs the user's hooks on a session. They are given up at the deadline even when they ignore their token.</summary>
internal sealed class SessionHooks(ConnectionPoolOptions options)
{
    /// <summary>Runs the hook for a session just opened.</summary>
    /// <exception cref="HookFailedException">The hook failed, or took too long.</exception>
    public ValueTask OpenedAsync(NpgsqlConnection connection, TimeSpan timeout, bool async, CancellationToken cancellationToken)
        => RunAsync(options.OnConnectionOpened, nameof(options.OnConnectionOpened), connection, timeout, async, cancellationToken);

    /// <summary>Runs the hook for a session just reset.</summary>
    /// <exception cref="HookFailedException">The hook failed, or took too long.</exception>
    public ValueTask ReturnedAsync(NpgsqlConnection connection, bool async)
        => RunAsync(options.OnConnectionReturned, nameof(options.OnConnectionReturned), connection, options.ResetTimeout, async, CancellationToken.None);

    private async ValueTask RunAsync(
        Func<NpgsqlConnection, CancellationToken, ValueTask>? hook, string name, NpgsqlConnection connection, TimeSpan timeout, bool async, CancellationToken stop)
    {
        if (hook is null)
            return;
        using var deadline = new CancellationTokenSource(timeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            var run = CompleteAsync(hook(connection, either.Token));
            if (async)
                await SessionDeadline.RunAsync(run, timeout, options.TimeProvider).ConfigureAwait(false);
            else if (!run.AsTask().Wait(timeout, stop))
                throw new TimeoutException($"It took longer than {timeout}.");
        }
        catch (Exception exception)
        {
            throw new HookFailedException(name, exception is AggregateException { InnerException: { } inner } ? inner : exception);
        }
    }

    private static async ValueTask<bool> CompleteAsync(ValueTask run)
    {
        await run.ConfigureAwait(false);
        return true;
    }
}
