namespace PgPool.Migration.Copying;

/// <summary>A relay failed at one of its ends; what became of the other end followed from it.</summary>
/// <remarks>For those who classify: users get a <see cref="MigrationException"/>.</remarks>
/// <param name="side">Where it failed.</param>
/// <param name="cause">What PostgreSQL or Npgsql said of it; of a refused row, PostgreSQL names its line in <c>Where</c>.</param>
internal sealed class CopyFailedException(CopySide side, Exception cause) : Exception($"The {side} of a COPY failed: {cause.Message}", cause)
{
    public CopySide Side { get; } = side;
}
