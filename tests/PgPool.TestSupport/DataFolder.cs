namespace PgPool.TestSupport;

/// <summary>
/// Where a server that is thrown away keeps its data: in the folder that PGPOOL_POSTGRES_DATA names, else in memory where the system has
/// room for it there (Linux: /dev/shm), else in the temp directory.
/// </summary>
internal static class DataFolder
{
    private const string Variable = "PGPOOL_POSTGRES_DATA";
    private const string Memory = "/dev/shm";

    // A few servers with some filled databases each. A container's /dev/shm often has no more than 64 MB.
    private const long Room = 4L << 30;

    /// <summary>A path at which nothing exists.</summary>
    public static string Next() => Path.Combine(Parent(), "pgpool-" + Path.GetRandomFileName());

    private static string Parent()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
            return given;
        return Directory.Exists(Memory) && new DriveInfo(Memory) is { DriveFormat: "tmpfs", AvailableFreeSpace: >= Room }
            ? Memory
            : Path.GetTempPath();
    }
}
