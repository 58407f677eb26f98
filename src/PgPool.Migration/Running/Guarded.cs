using System.Data.Common;

namespace PgPool.Migration.Running;

/// <summary>What leaves the package: a MigrationException for what went wrong outside, everything else as it is.</summary>
internal static class Guarded
{
    public static async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not OperationCanceledException)
        {
            // What fails while it is being cancelled fails because of that.
            throw new OperationCanceledException("The run was cancelled.", e, cancellationToken);
        }
        catch (Exception e) when (e is DbException or IOException or TimeoutException)
        {
            var cure = Failures.Cure(e)
                ?? (Failures.Classify(e) == FailureKind.Transient ? "Call it again when the server answers: what is done stays done." : "");
            throw new MigrationException($"{Failures.Words(e)} {cure}".TrimEnd(), e);
        }
    }
}
