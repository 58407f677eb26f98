namespace PgPool.TestSupport.Servers;

/// <summary>The programs that are installed on this machine.</summary>
internal sealed class ProgramsWay : LocalWay
{
    public override string Name => "programs";

    protected override async Task<PostgresPrograms> FindAsync(int? version, CancellationToken cancellationToken) =>
        await PostgresPrograms.FindAsync(version, cancellationToken) ?? throw new WayUnavailableException(
            $"this machine has no {string.Join(", ", PostgresPrograms.Needed)}{(version is null ? "" : $" of PostgreSQL {version}")} "
                + "(Debian: apt install postgresql; macOS: brew install postgresql; or put them on the PATH)");
}
