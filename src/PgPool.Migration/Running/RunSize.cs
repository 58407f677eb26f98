namespace PgPool.Migration.Running;

/// <summary>How many leases a run takes of each pool.</summary>
/// <param name="Workers">Each has one of the source and one of the target.</param>
/// <param name="Holder">One more of the source, which only holds the snapshot.</param>
internal readonly record struct RunSize(int Workers, bool Holder)
{
    public int Source => Workers + (Holder ? 1 : 0);

    public int Target => Workers;

    /// <exception cref="MigrationException">The pools are too small for one worker.</exception>
    public static RunSize Of(MigrationOptions options, ConnectionPool source, ConnectionPool target)
    {
        var isOne = ReferenceEquals(source, target);
        var most = isOne ? source.MaxSize / 2 : Math.Min(source.MaxSize, target.MaxSize);
        if (most < 1)
        {
            throw new MigrationException(
                $"Pool {source.Name} is source and target and lends {source.MaxSize} connection: a worker needs two. Raise its MaxSize to 2 or more.");
        }

        var workers = Math.Min(options.Degree ?? most, most);
        return new RunSize(workers, isOne ? source.MaxSize > 2 * workers : source.MaxSize > workers);
    }
}
