using Npgsql;

namespace PgPool.TestSupport;

/// <summary>The certificates of a local server, in its folder, where only its account can read them.</summary>
internal sealed class ServerTls(string folder)
{
    /// <summary>What makes clients verify the server: its authority, and its name.</summary>
    public void Demand(NpgsqlConnectionStringBuilder connectionString)
    {
        connectionString.SslMode = SslMode.VerifyFull;
        connectionString.RootCertificate = PathOf("authority");
    }

    /// <summary>Makes all certificates that there are to choose from.</summary>
    public async Task InstallAsync(CancellationToken cancellationToken)
    {
        using var authority = new CertificateAuthority("PgPool tests");
        using var stranger = new CertificateAuthority("Not PgPool tests");
        await WriteAsync("authority", authority.Pem);
        await WriteAsync(nameof(TestCertificate.Trusted), authority.Issue("localhost", "127.0.0.1"));
        await WriteAsync(nameof(TestCertificate.Untrusted), stranger.Issue("localhost", "127.0.0.1"));
        await WriteAsync(nameof(TestCertificate.OtherHost), authority.Issue("elsewhere.example"));

        Task WriteAsync(string name, string text) => ServerAccount.WriteAsync(PathOf(name), text, cancellationToken);
    }

    /// <summary>The server's settings for a certificate. Its key stands in the same file.</summary>
    public Dictionary<string, string> SettingsFor(TestCertificate certificate) => new()
    {
        ["ssl"] = "on",
        ["ssl_cert_file"] = PathOf(certificate.ToString()),
        ["ssl_key_file"] = PathOf(certificate.ToString()),
    };

    private string PathOf(string name) => Path.Combine(folder, name.ToLowerInvariant() + ".pem");
}
