using System.Net.Http.Headers;
using System.Text;
using MysticMind.PostgresEmbed;

namespace PgPool.TestSupport.Embedded;

/// <summary>A Maven repository with PostgreSQL's programs for this machine.</summary>
internal sealed class PostgresRepository : IDisposable
{
    // A repository that is there answers in this time. Where there is no network, nobody wants to wait for long to hear of it.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _client;
    private readonly string _address;

    public PostgresRepository(Uri address, TextWriter progress)
    {
        var handler = new CheckedDownloads(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout }, progress);
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }; // the handler has a limit of its own
        if (address.UserInfo is { Length: > 0 } account)
        {
            var bytes = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(account));
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(bytes));
        }

        _address = new UriBuilder(address) { UserName = "", Password = "" }.Uri.AbsoluteUri.TrimEnd('/');
    }

    /// <summary>The address, without an account.</summary>
    public override string ToString() => _address;

    public void Dispose() => _client.Dispose();

    /// <summary>All releases for this machine, whatever their age.</summary>
    public Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
        PgVersions.GetAvailableAsync(mavenRepo: _address, httpClient: _client, cancellationToken: cancellationToken);

    /// <summary>Fetches a release and unpacks it, all below one folder.</summary>
    /// <returns>The folder with bin, lib and share in it.</returns>
    public async Task<string> InstallAsync(string release, string below, CancellationToken cancellationToken)
    {
        var package = new PgServer(new PgServerOptions
        {
            PgVersion = release,
            BinariesDir = below,
            DbDir = below,
            MavenRepo = _address,
            HttpClient = _client,
            DownloadRetryCount = 1,
        });
        await package.InstallAsync(cancellationToken);
        return package.InstallDir;
    }
}
