using System.Diagnostics;
using Xunit;

namespace PgPool.Tests;

/// <summary>Runs this very program again, with one of its commands, in a process of its own.</summary>
internal static class ChildProgram
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    /// <summary>Its output, when it has ended by itself with the expected code; otherwise the test fails, and the process is gone all the same.</summary>
    /// <param name="arguments">The command.</param>
    /// <param name="environment">What is not for everybody to see: command lines are.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="expected">The code that it is to end with.</param>
    public static async Task<string> RunAsync(
        string[] arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken, int expected = 0)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [typeof(ChildProgram).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"It did not end by itself within {Deadline.TotalSeconds} s: {await output}{await errors}");
        }
        Assert.True(process.ExitCode == expected, $"It ended with {process.ExitCode}: {await output}{await errors}");
        return await output;
    }
}
