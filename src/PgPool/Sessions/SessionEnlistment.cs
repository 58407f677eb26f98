using System.Data;
using System.Transactions;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>Whether a session takes part in a System.Transactions transaction, and when that ends.</summary>
/// <remarks>
/// Resetting or closing a session before that would undo what its renter has yet to complete. With several sessions in one transaction that has two
/// phases; from the first on, Npgsql no longer says that a connection is enlisted. So the transaction itself is asked for, when the session is given
/// back. Where Npgsql cannot be read, it still refuses to enlist a connection elsewhere that is enlisted: enlisting in nothing is an inquiry without I/O.
/// </remarks>
internal static class SessionEnlistment
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>What completes with the transaction; null for a session that takes part in none. To be asked in the flow of who gives it back.</summary>
    public static Task? EndOf(NpgsqlConnection connection)
    {
        if (NpgsqlInternals.EnlistedIn(connection) is { } transaction)
            return WhenCompletedAsync(transaction);
        if (Refusal(connection) is not { } refusal)
            return null;
        return Ambient() is { } ambient && refusal.Contains($"localid={ambient.TransactionInformation.LocalIdentifier})", StringComparison.Ordinal)
            ? WhenCompletedAsync(ambient)
            : Task.CompletedTask;   // returned outside of its scope, or enlisted without one: there is nobody to tell
    }

    /// <summary>Whether its transaction is still under way. A session may look busy while that is being ended on another thread.</summary>
    public static bool IsActive(NpgsqlConnection connection, SessionIdentity identity)
        => identity.TransactionEnds is { } end && (!end.IsCompleted || Refusal(connection) is not null);

    /// <summary>Waits until the transaction has ended, committed or not.</summary>
    /// <returns>False when it was not to be waited for any longer.</returns>
    public static async ValueTask<bool> EndsAsync(NpgsqlConnection connection, SessionIdentity identity, TimeProvider time, CancellationToken severing)
    {
        if ((identity.TransactionEnds ?? EndOf(connection)) is not { } end)
            return true;
        try
        {
            await end.WaitAsync(severing).ConfigureAwait(false);
            while (Refusal(connection) is not null)
                await Task.Delay(LookAgain, time, severing).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static Transaction? Ambient()
    {
        try
        {
            return Transaction.Current;
        }
        // Its scope was completed, and is not left yet.
        catch (InvalidOperationException)
        {
            return null;
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
