using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgPool.TestSupport;

/// <summary>Signs the certificates of one server. Its own key is gone with it.</summary>
internal sealed class CertificateAuthority : IDisposable
{
    // Clocks of containers and hosts may differ a little.
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddHours(-1);
    private static readonly DateTimeOffset Until = From.AddDays(2);

    private readonly X509Certificate2 _certificate;

    public CertificateAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _certificate = request.CreateSelfSigned(From, Until);
    }

    /// <summary>What clients need in order to trust it.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>A server's certificate for these names and addresses, and its key, in one text.</summary>
    public string Issue(params string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + hosts[0], key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "server authentication")], critical: false));
        using var certificate = request.Create(_certificate, From, Until, Guid.NewGuid().ToByteArray());
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    public void Dispose() => _certificate.Dispose();
}
