using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using MysticMind.PostgresEmbed;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>A Maven repository on loopback, with releases whose programs say their version and do nothing else.</summary>
internal sealed class FakeRepository : IAsyncDisposable
{
    private readonly string _artifact = $"embedded-postgres-binaries-{PgPlatform.Detect().ArtifactName}";
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, byte[]> _files = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("pgpool-repository-").FullName;
    private readonly Task _serving;

    private FakeRepository()
    {
        Address = new Uri($"http://127.0.0.1:{LoopbackPorts.Next()}/maven");
        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    /// <summary>How many archives were asked for.</summary>
    public int Downloads => _asked.Count(path => path.EndsWith(".jar", StringComparison.Ordinal));

    public int Questions => _asked.Count;

    /// <summary>How many bytes of an archive come before the connection breaks; null: all of them.</summary>
    public int? CutAt { get; set; }

    /// <summary>When it completes, archives are sent.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public static async Task<FakeRepository> StartAsync(params string[] releases)
    {
        var repository = new FakeRepository();
        repository.Publish("maven-metadata.xml", Encoding.UTF8.GetBytes(
            $"<metadata><versioning><versions>{string.Concat(releases.Select(release => $"<version>{release}</version>"))}</versions></versioning></metadata>"));
        foreach (var release in releases)
        {
            var archive = await repository.ArchiveAsync(release);
            repository.Publish(repository.PathOf(release), archive);
            repository.Publish(repository.PathOf(release) + ".sha256", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(archive))));
        }

        return repository;
    }

    /// <summary>Has a release's archive be another one than its checksum is of.</summary>
    public void Damage(string release) => _files[Path(PathOf(release))][^1] ^= 1;

    public void RemoveChecksum(string release) => _files.TryRemove(Path(PathOf(release)) + ".sha256", out _);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
        Directory.Delete(_scratch, recursive: true);
    }

    private string PathOf(string release) => $"{release}/{_artifact}-{release}.jar";

    private string Path(string file) => $"/maven/io/zonky/test/postgres/{_artifact}/{file}";

    private void Publish(string file, byte[] content) => _files[Path(file)] = content;

    private async Task<byte[]> ArchiveAsync(string release)
    {
        var programs = Directory.CreateDirectory(System.IO.Path.Combine(_scratch, release, "bin"));
        foreach (var program in PostgresPrograms.Needed)
        {
            var file = System.IO.Path.Combine(programs.FullName, program);
            await File.WriteAllTextAsync(file, $"#!/bin/sh\necho '{program} (PostgreSQL) {release}'\n", TestContext.Current.CancellationToken);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, (UnixFileMode)0b_111_101_101);
        }

        var packed = System.IO.Path.Combine(_scratch, release + ".txz");
        await RunAsync("tar", "-cJf", packed, "-C", programs.Parent!.FullName, ".");
        using var whole = new MemoryStream();
        using (var zip = new ZipArchive(whole, ZipArchiveMode.Create))
            zip.CreateEntryFromFile(packed, "postgres-linux.txz");
        return whole.ToArray();
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipUnless(process.ExitCode == 0, "This needs tar and xz (Debian: apt install xz-utils).");
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.GetContextAsync());
        }
        catch (Exception e) when (e is HttpListenerException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var path = context.Request.Url!.AbsolutePath;
        _asked.Enqueue(path);
        if (!_files.TryGetValue(path, out var content))
        {
            context.Response.StatusCode = (int)HttpStatusCode.NotFound;
            context.Response.Close();
            return;
        }

        context.Response.ContentLength64 = content.Length;
        if (path.EndsWith(".jar", StringComparison.Ordinal))
        {
            await Gate;
            if (CutAt is { } length)
            {
                await context.Response.OutputStream.WriteAsync(content.AsMemory(0, length));
                context.Response.Abort();
                return;
            }
        }

        context.Response.Close(content, willBlock: false);
    }
}
