using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Copying;
using PgPool.Migration.Running;

namespace PgPool.Migration;

// Copying rows with the caller's code in between.
public sealed partial class MigrationRun
{
    /// <summary>
    /// Reads rows of the source as <typeparamref name="TSource"/>, maps each to zero or more rows of the target, and writes them by binary COPY, with the
    /// guarantees of <see cref="CopyAsync"/>.
    /// </summary>
    /// <remarks>
    /// <paramref name="read"/> and <paramref name="map"/> are called by several workers at once, and again for rows whose partition is tried again.
    /// A value that <paramref name="map"/> hands on as the reader gave it is written as the source has it, bit for bit, be it one of several that .NET does
    /// not tell apart. Where a column has values that .NET has none for (a numeric of a hundred digits, an interval with months, an array with NULLs, a
    /// composite), the rows of that partition have PostgreSQL's text in it, as a string; such text may be given for a column of any type.
    /// Bytes in progress and report are an estimate. With <see cref="BadRows.Reject"/>, a source row goes to pgpool_migration.rejected as a whole.
    /// </remarks>
    /// <typeparam name="TSource">What a source row is read as.</typeparam>
    /// <param name="table">
    /// What to read, and where to write. <see cref="TableCopy.Columns"/> are the source columns handed to <paramref name="read"/>, in that order (null: all).
    /// </param>
    /// <param name="read">Makes an object of the row that the reader stands on; it must not move the reader or keep it.</param>
    /// <param name="targetColumns">The columns that are written, as the catalog has them.</param>
    /// <param name="map">
    /// Makes the target's rows, each with a value for each of <paramref name="targetColumns"/>, written as that column's type; null is NULL.
    /// </param>
    /// <param name="progress">Is told a few times a second how far the run is, and at last of its end.</param>
    /// <param name="cancellationToken">Stops the run; what is done stays done.</param>
    /// <returns>What this call did; rows are those written.</returns>
    /// <exception cref="ArgumentException">targetColumns is empty, or a value of the table contradicts another.</exception>
    /// <exception cref="MigrationException">What failed, where, and what to change; a value that does not fit is named with its column.</exception>
    public async Task<MigrationReport> TransformAsync<TSource>(
        TableCopy table, Func<NpgsqlDataReader, TSource> read, IReadOnlyList<string> targetColumns, Func<TSource, IEnumerable<object?[]>> map,
        IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(targetColumns);
        if (targetColumns.Count == 0 || targetColumns.Any(string.IsNullOrEmpty) || targetColumns.Distinct().Count() < targetColumns.Count)
            throw new ArgumentException("Name at least one column, and each once.", nameof(targetColumns));
        var asked = ArgumentChecks.Check([table]);
        return await Guarded.RunAsync(
            () => new TransferRun(_id, "transform", (_source, _target), _options, _log) { TargetColumns = targetColumns }.RunAsync(
                asked, run => new CopyJob(run, new TransformCopier<TSource>(read, map)), progress, cancellationToken),
            cancellationToken).ConfigureAwait(false);
    }
}
