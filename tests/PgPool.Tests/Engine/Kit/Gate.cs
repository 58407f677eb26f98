namespace PgPool.Tests.Engine.Kit;

/// <summary>One await point of the driver: the test decides, call by call, how it ends and when.</summary>
internal sealed class Gate
{
    private readonly Lock _lock = new();
    private readonly Queue<Answer> _script = [];
    private readonly Queue<TaskCompletionSource<Answer>> _held = [];
    private Answer _otherwise = Answer.Ok;
    private int _calls;

    /// <summary>What a call takes before it is answered, such as a delay in virtual time.</summary>
    public Func<Task>? Pace { get; set; }

    /// <summary>Calls so far, the held ones included.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Calls that wait to be released.</summary>
    public int Held
    {
        get
        {
            lock (_lock)
                return _held.Count;
        }
    }

    /// <summary>Answers for the next calls; those after them end as <see cref="Otherwise"/> says.</summary>
    public void Next(params Answer[] answers)
    {
        lock (_lock)
        {
            foreach (var answer in answers)
                _script.Enqueue(answer);
        }
    }

    public void Otherwise(Answer answer)
    {
        lock (_lock)
            _otherwise = answer;
    }

    /// <summary>Ends the call that is held longest.</summary>
    public void Release(Answer answer = Answer.Ok)
    {
        TaskCompletionSource<Answer> call;
        lock (_lock)
            call = _held.Dequeue();
        call.TrySetResult(answer);
    }

    /// <summary>Ends all calls that are held.</summary>
    public void ReleaseAll()
    {
        while (Held > 0)
            Release();
    }

    /// <summary>Lets everything pass from now on.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _script.Clear();
            _otherwise = Answer.Ok;
        }
        ReleaseAll();
    }

    public async ValueTask<Answer> PassAsync(bool async, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _calls);
        var answer = AnswerAsync(cancellationToken);
        if (!async)
            ((Task)answer).Wait(CancellationToken.None);
        return await answer.ConfigureAwait(false);
    }

    private async Task<Answer> AnswerAsync(CancellationToken cancellationToken)
    {
        if (Pace is { } pace)
            await pace().ConfigureAwait(false);
        TaskCompletionSource<Answer> call;
        lock (_lock)
        {
            if (!_script.TryDequeue(out var answer))
                answer = _otherwise;
            if (answer != Answer.Slow)
                return answer;
            // Whoever releases a call does not run what follows from it.
            call = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
            _held.Enqueue(call);
        }
        using (cancellationToken.UnsafeRegister(static call => ((TaskCompletionSource<Answer>)call!).TrySetResult(Answer.Cancelled), call))
            return await call.Task.ConfigureAwait(false);
    }
}
