using System.Net;
using System.Security.Cryptography;
using MysticMind.PostgresEmbed;

namespace PgPool.TestSupport.Embedded;

/// <summary>
/// Hands an archive on only when it is whole and has the checksum that its repository publishes, and shows how much of it is there.
/// </summary>
internal sealed class CheckedDownloads(HttpMessageHandler inner, TextWriter progress) : DelegatingHandler(inner)
{
    // The strongest first. Every Maven repository has one of the older two at least.
    private static readonly (string Extension, Func<byte[], byte[]> Hash)[] Checksums =
    [
        (".sha512", SHA512.HashData),
        (".sha256", SHA256.HashData),
        (".sha1", SHA1.HashData),
        (".md5", MD5.HashData),
    ];

    /// <summary>How long a repository may be silent.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(Patience);
        try
        {
            var response = await base.SendAsync(request, silence.Token);
            if (!response.IsSuccessStatusCode)
                return response;

            var address = request.RequestUri!;
            var isArchive = address.AbsolutePath.EndsWith(".jar", StringComparison.Ordinal);
            var bytes = await ReadAsync(response.Content, isArchive ? progress : TextWriter.Null, silence);
            if (isArchive)
                await CheckAsync(address, bytes, silence.Token);
            response.Content.Dispose();
            response.Content = new ByteArrayContent(bytes);
            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(e.InnerException?.Message ?? $"no answer for {Patience.TotalSeconds:0.#} s", e);
        }
    }

    private async Task<byte[]> ReadAsync(HttpContent content, TextWriter writer, CancellationTokenSource silence)
    {
        await using var source = await content.ReadAsStreamAsync(silence.Token);
        using var whole = new MemoryStream();
        var size = content.Headers.ContentLength;
        await writer.WriteAsync(size is null ? " " : $" ({size / 1e6:0.0} MB) ");
        var buffer = new byte[1 << 16];
        var tenths = 0L;
        while (await source.ReadAsync(buffer, silence.Token) is > 0 and var read)
        {
            silence.CancelAfter(Patience);
            whole.Write(buffer, 0, read);
            for (; size > 0 && tenths < whole.Length * 10 / size; tenths++)
                await writer.WriteAsync(".");
        }

        return whole.ToArray();
    }

    private async Task CheckAsync(Uri archive, byte[] bytes, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(archive.AbsolutePath);
        foreach (var (extension, hash) in Checksums)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, archive + extension);
            using var response = await base.SendAsync(request, cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotFound)
                continue;

            // Some repositories have the name of the file behind the checksum.
            response.EnsureSuccessStatusCode();
            var published = (await response.Content.ReadAsStringAsync(cancellationToken)).Split().FirstOrDefault(part => part.Length > 0);
            var found = Convert.ToHexString(hash(bytes));
            if (!string.Equals(published, found, StringComparison.OrdinalIgnoreCase))
            {
                throw new PostgresEmbedException(
                    $"{name} is damaged: it does not have the {extension[1..]} checksum that the repository publishes.");
            }

            return;
        }

        throw new PostgresEmbedException($"{name} cannot be checked: the repository publishes no checksum of it.");
    }
}
