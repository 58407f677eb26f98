using MysticMind.PostgresEmbed;

namespace PgPool.TestSupport.Embedded;

/// <summary>The releases of PostgreSQL that are kept on this machine, each in a folder.</summary>
/// <remarks>
/// A release's folder gets its name when all is in it: what has the name is whole. Only the holder of the lock adds one, so unfinished work
/// that it finds is that of a process that was ended, and is removed.
/// </remarks>
internal sealed class PostgresCache(string folder)
{
    private const string Unfinished = "unfinished-";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly string _platform = PgPlatform.Detect().ArtifactName;

    /// <summary>The folder of the programs below the folder of a release.</summary>
    public static string ProgramsOf(string release) => Path.Combine(release, "bin");

    public string FolderOf(string release) => Path.Combine(folder, $"{release}-{_platform}");

    /// <summary>The releases that are whole, for this kind of machine: a home folder may be shared with others.</summary>
    public IReadOnlyCollection<string> Releases() => Directory.Exists(folder)
        ? [.. Directory.EnumerateDirectories(folder, $"*-{_platform}").Select(kept => Path.GetFileName(kept)[..^(_platform.Length + 1)])]
        : [];

    /// <summary>Adds a release, unless another process has added it meanwhile.</summary>
    /// <param name="release">Its name.</param>
    /// <param name="install">Installs it below an empty folder and returns the folder that it is in.</param>
    /// <param name="cancellationToken">Stops it, with nothing left.</param>
    public async Task AddAsync(string release, Func<string, Task<string>> install, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await using var holder = await LockAsync(cancellationToken);
        if (Directory.Exists(FolderOf(release)))
            return;

        foreach (var leftover in Directory.EnumerateDirectories(folder, Unfinished + "*"))
            Directory.Delete(leftover, recursive: true);
        var work = Path.Combine(folder, Unfinished + Path.GetRandomFileName());
        try
        {
            var installed = await install(Directory.CreateDirectory(work).FullName);
            OpenToServers(work);
            await CheckAsync(ProgramsOf(installed), cancellationToken);
            Directory.Move(installed, FolderOf(release));
        }
        finally
        {
            Remove(work);
        }
    }

    private static async Task CheckAsync(string programs, CancellationToken cancellationToken)
    {
        foreach (var program in PostgresPrograms.Needed)
            await ServerAccount.RunAsync([Path.Combine(programs, program), "--version"], cancellationToken);
    }

    // What failed counts, not that its remains could not be removed: the next one to come here removes them.
    private static void Remove(string work)
    {
        try
        {
            if (Directory.Exists(work))
                Directory.Delete(work, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    // Root's servers run under another account, and root's umask may be one that shuts it out.
    private void OpenToServers(string work)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
            return;

        foreach (var entry in new DirectoryInfo(work).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Append(new DirectoryInfo(work)).Append(new DirectoryInfo(folder)).Where(entry => entry.LinkTarget is null))
        {
            entry.UnixFileMode |= UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            if (entry is DirectoryInfo || entry.UnixFileMode.HasFlag(UnixFileMode.UserExecute))
                entry.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        }
    }

    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult is 11 or 35)
            {
                // EWOULDBLOCK, of Linux and of macOS: another process fetches.
                await Task.Delay(Interval, cancellationToken);
            }
        }
    }
}
