using System.Collections.Concurrent;

namespace PgPool.DependencyInjection;

/// <summary>The names of a container's pools, by which logs, metrics and health checks tell them apart.</summary>
internal sealed class PoolNames
{
    private readonly ConcurrentDictionary<string, bool> _taken = new(StringComparer.Ordinal);

    /// <summary>Makes a pool, under a name that no other has.</summary>
    /// <exception cref="InvalidOperationException">Another has it.</exception>
    public ConnectionPool Make(ConnectionPoolOptions options)
    {
        if (options.Name is not { } name)
            return new ConnectionPool(options);
        if (!_taken.TryAdd(name, true))
        {
            throw new InvalidOperationException(
                $"Two pools are named '{name}': give each a Name (ConnectionPoolOptions.Name) of its own, by which logs and metrics tell them apart.");
        }
        try
        {
            return new ConnectionPool(options);
        }
        catch
        {
            _taken.TryRemove(name, out _);
            throw;
        }
    }
}
