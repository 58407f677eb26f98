namespace PgPool.Engine;

/// <summary>Somebody who awaits a state of the pool.</summary>
/// <param name="condition">Asked under the engine's lock, after each change.</param>
/// <param name="failsWithOpens">Whether a server that refuses for good ends it, too.</param>
internal sealed class Watcher(Func<bool> condition, bool failsWithOpens)
{
    private readonly TaskCompletionSource<Exception?> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<bool> Condition => condition;

    public bool FailsWithOpens => failsWithOpens;

    /// <summary>Completes with null when the condition holds, or with why it will not.</summary>
    public Task<Exception?> Task => _source.Task;

    public void Complete(Exception? error) => _source.TrySetResult(error);
}
