using System.Data;
using System.Transactions;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>Whether a session takes part in a System.Transactions transaction, and when that ends.</summary>
/// <remarks>
/// Resetting a session before that would roll back what its renter has yet to complete. Npgsql does not tell what a connection is enlisted in, but
/// it refuses to enlist one elsewhere that is: enlisting in nothing is an inquiry without I/O.
/// </remarks>
internal static class SessionEnlistment
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether its transaction is still under way. A session may look busy while that is being ended on another thread.</summary>
    public static bool IsActive(NpgsqlConnection connection) => Refusal(connection) is not null;

    /// <summary>Waits until the transaction has ended, committed or not.</summary>
    /// <returns>False when it was not to be waited for any longer.</returns>
    public static async ValueTask<bool> EndsAsync(NpgsqlConnection connection, TimeProvider time, CancellationToken severing)
    {
        if (Refusal(connection) is not { } refusal)
            return true;
        try
        {
            if (Transaction.Current is { } ambient && refusal.Contains($"localid={ambient.TransactionInformation.LocalIdentifier})", StringComparison.Ordinal))
                await WhenCompletedAsync(ambient).WaitAsync(severing).ConfigureAwait(false);
            // Returned outside of its scope, or enlisted without one: there is nobody to tell.
            while (IsActive(connection))
                await Task.Delay(LookAgain, time, severing).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static Task WhenCompletedAsync(Transaction transaction)
    {
        // The thread that ends the transaction is not ours to continue on.
        var completed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            transaction.TransactionCompleted += (_, _) => completed.TrySetResult();
        }
        catch (ObjectDisposedException)
        {
            completed.TrySetResult();
        }
        return completed.Task;
    }

    /// <summary>What Npgsql says of a connection that is enlisted; it names the transaction. Null for one that is not.</summary>
    private static string? Refusal(NpgsqlConnection connection)
    {
        try
        {
            connection.EnlistTransaction(null);
            return null;
        }
        // A busy session is refused for that, too: then it is the name of the transaction that tells.
        catch (InvalidOperationException exception) when (SessionState.Of(connection) == ConnectionState.Open || exception.Message.Contains("localid="))
        {
            return exception.Message;
        }
        // It has broken, or was closed, just now.
        catch (Exception)
        {
            return null;
        }
    }
}
