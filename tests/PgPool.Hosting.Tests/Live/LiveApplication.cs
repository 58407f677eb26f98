using System.Diagnostics;
using System.Text.RegularExpressions;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Hosting.Tests.Live;

/// <summary>samples/LiveView as a user runs it: a process of its own, on two databases of the test server.</summary>
public sealed partial class LiveApplication(ServerFixture fixture) : IAsyncLifetime
{
    private readonly Process _process = new();

    /// <summary>"http://127.0.0.1:43571".</summary>
    public string Address { get; private set; } = "";

    /// <summary>The connection string of the database that is copied to.</summary>
    public string Target { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var source = await fixture.Server.CreateDatabaseAsync();
        Target = await fixture.Server.CreateDatabaseAsync();
        var start = _process.StartInfo;
        start.FileName = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "LiveView.dll"), "--Port=0", "--BytesPerSecond=60000000" })
            start.ArgumentList.Add(argument);
        start.Environment["ConnectionStrings__source"] = source;
        start.Environment["ConnectionStrings__target"] = Target;
        start.RedirectStandardOutput = true;
        _process.Start();

        Address = await ReadAddressAsync(_process.StandardOutput).WaitAsync(Eventually.Deadline);
        // Nobody reads on; a full pipe would stop it.
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        NpgsqlConnection.ClearAllPools();
    }

    private static async Task<string> ReadAddressAsync(StreamReader output)
    {
        var said = new List<string>();
        while (await output.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (Listening().Match(line) is { Success: true } match)
                return match.Groups[1].Value;
        }
        throw new InvalidOperationException($"It ended: {string.Join('\n', said)}");
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
