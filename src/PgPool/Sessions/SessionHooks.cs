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
        var deadline = new CancellationTokenSource(timeout, options.TimeProvider);
        var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        var run = Task.FromResult(true);
        try
        {
            run = CompleteAsync(hook(connection, either.Token)).AsTask();
            if (async)
                await SessionDeadline.RunAsync(new ValueTask<bool>(run), timeout, options.TimeProvider).ConfigureAwait(false);
            else if (!run.Wait(timeout, stop))
                throw new TimeoutException($"It took longer than {timeout}.");
        }
        catch (Exception exception)
        {
            throw new HookFailedException(name, exception is AggregateException { InnerException: { } inner } ? inner : exception);
        }
        finally
        {
            _ = EndAsync(run, deadline, either);
        }
    }

    // A hook that is given up must hear of it, though the deadline was another timer's to tell, before its token is disposed.
    private static async Task EndAsync(Task run, CancellationTokenSource deadline, CancellationTokenSource either)
    {
        try
        {
            if (!run.IsCompleted)
            {
                SessionDeadline.Abandon(run);
                await deadline.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (AggregateException)
        {
            // The hook's own callback on its token threw.
        }
        finally
        {
            either.Dispose();
            deadline.Dispose();
        }
    }

    private static async ValueTask<bool> CompleteAsync(ValueTask run)
    {
        await run.ConfigureAwait(false);
        return true;
    }
}
