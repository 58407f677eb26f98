using System.Diagnostics;

namespace PgPool.TestSupport;

/// <summary>
/// A shell that stops a server and removes its folder when its standard input ends. The system closes that pipe at every end of
/// this process, SIGKILL included, so that disposing, exiting, Ctrl-C and crashing all clean up in the same way.
/// </summary>
internal sealed class Watchdog : IAsyncDisposable
{
    private const string Script =
        """
        trap '' HUP INT TERM
        exec >/dev/null 2>&1
        read -r _
        "$@"
        rm -rf "$0"
        """;

    private readonly Process _process;

    public Watchdog(string folder, params string[] stopCommand)
    {
        // In a session of its own where that is to be had: Ctrl-C, timeout(1) and CI runners signal whole process groups.
        string[] detached = File.Exists("/usr/bin/setsid") ? ["/usr/bin/setsid"] : [];
        var start = ServerAccount.Command([.. detached, "/bin/sh", "-c", Script, folder, .. stopCommand]);
        start.RedirectStandardInput = true;
        _process = Process.Start(start)!;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
