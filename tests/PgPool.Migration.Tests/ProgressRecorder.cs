using System.Collections.Concurrent;

namespace PgPool.Migration.Tests;

/// <summary>Keeps all that a run tells of its progress.</summary>
internal sealed class ProgressRecorder : IProgress<MigrationProgress>
{
    public ConcurrentQueue<MigrationProgress> All { get; } = [];

    public void Report(MigrationProgress value) => All.Enqueue(value);
}
