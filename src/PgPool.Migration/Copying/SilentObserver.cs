namespace PgPool.Migration.Copying;

/// <summary>For copies that count for nothing.</summary>
internal sealed class SilentObserver : ICopyObserver
{
    public static SilentObserver Instance { get; } = new();

    public ValueTask MovedAsync(int bytes, long rows, CancellationToken cancellationToken) => default;
}
