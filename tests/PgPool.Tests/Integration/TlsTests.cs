using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A pool on a server with TLS and passwords, and everything for which such a server, or its client, refuses for good.</summary>
public sealed class TlsTests(TlsServerFixture fixture) : PoolTest(fixture.Server), IClassFixture<TlsServerFixture>
{
    private const string Password = "s3cr3t-word";

    private readonly string _name = $"tls_{Guid.NewGuid():N}";

    public enum Refusal
    {
        WrongPassword,
        UntrustedCertificate,
        CertificateOfAnotherHost,
        NoConnectPrivilege,
        NoSuchDatabase,
        ServerWithoutTls,
        RoleMayNotLogIn,
    }

    public static MatrixTheoryData<Refusal, bool> Refusals => new(Enum.GetValues<Refusal>(), [true, false]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lease_OverTls_IsLentResetAndSeveredAsWithout(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);

        var lease = await RentAsync(pool, async);
        var session = lease.BackendProcessId;
        Assert.True(await ScalarAsync<bool>(lease, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"));
        await ExecuteAsync(lease, "CREATE TEMP TABLE t (a int); SELECT pg_advisory_lock(1); SET work_mem = '7MB'");
        await ReturnAsync(lease, async);

        var busy = await RentAsync(pool, async);
        Assert.Equal(session, busy.BackendProcessId);
        Assert.Equal(0L, await ScalarAsync<long>(busy, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"));
        Assert.True(await ScalarAsync<bool>(busy, "SELECT to_regclass('pg_temp.t') IS NULL AND current_setting('work_mem') <> '7MB'"));
        var running = ExecuteAsync(busy, "SELECT pg_sleep(600)");
        await ReturnAsync(busy, async);

        await using var next = await RentAsync(pool, async);
        Assert.NotEqual(session, next.BackendProcessId);
        Assert.Equal(1, await ScalarAsync<int>(next, "SELECT 1"));
        await BackendGoneAsync(session);
        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.Broken]);
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Rent_ServerRefusesForGood_AllWaitersHearWhyAtOnceAndThePoolWorksWhenItIsCured(Refusal refusal, bool async)
    {
        await CreateRoleAndDatabaseAsync();
        var (named, make, cure) = CauseOf(refusal);
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        var pool = Pool(options =>
        {
            options.ConnectionString = new NpgsqlConnectionStringBuilder(proxy.ConnectionStringFor(ConnectionString))
            {
                Username = _name,
                Password = Password,
                Database = _name,
            }.ConnectionString;
            options.RentTimeout = Timeout.InfiniteTimeSpan;
        });
        await make();
        try
        {
            // Held back at the proxy, so that all wait before the first refusal.
            proxy.Mode = FaultMode.Deaf;
            var rents = Enumerable.Range(0, 3).Select(_ => RentAsync(pool, async)).ToArray();
            await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == rents.Length, "all rents wait");
            proxy.Mode = FaultMode.Pass;

            foreach (var rent in rents)
                AssertClear(await Assert.ThrowsAsync<PoolConnectException>(() => rent), pool, named);
            AssertClear(await Assert.ThrowsAsync<PoolConnectException>(() => RentAsync(pool, async)), pool, named);
            await Eventually.BecomesAsync(() => pool.GetStatistics().Opening == 0, "the last open for them has ended");
        }
        finally
        {
            await cure();
        }

        await using var lease = await RentAsync(pool, async);
        Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));
    }

    /// <summary>What the message must say, what makes the server or the client refuse, and what undoes it.</summary>
    private (string Named, Func<Task> Make, Func<Task> Cure) CauseOf(Refusal refusal) => refusal switch
    {
        Refusal.WrongPassword => ("password authentication failed",
            () => Server.ExecuteAsync($"ALTER ROLE {_name} PASSWORD 'another'"),
            () => Server.ExecuteAsync($"ALTER ROLE {_name} PASSWORD '{Password}'")),
        Refusal.UntrustedCertificate => ("certificate",
            () => Server.UseCertificateAsync(TestCertificate.Untrusted),
            () => Server.UseCertificateAsync(TestCertificate.Trusted)),
        Refusal.CertificateOfAnotherHost => ("certificate",
            () => Server.UseCertificateAsync(TestCertificate.OtherHost),
            () => Server.UseCertificateAsync(TestCertificate.Trusted)),
        Refusal.NoConnectPrivilege => ("permission denied for database",
            () => Server.ExecuteAsync($"REVOKE CONNECT ON DATABASE {_name} FROM PUBLIC"),
            () => Server.ExecuteAsync($"GRANT CONNECT ON DATABASE {_name} TO {_name}")),
        Refusal.NoSuchDatabase => ($"database \"{_name}\" does not exist",
            () => Server.ExecuteAsync($"DROP DATABASE {_name}"),
            () => Server.CreateDatabaseAsync(_name)),
        Refusal.ServerWithoutTls => ("SSL connection requested",
            () => Server.ChangeSettingsAsync(new Dictionary<string, string> { ["ssl"] = "off" }),
            () => Server.ChangeSettingsAsync(new Dictionary<string, string> { ["ssl"] = "on" })),
        Refusal.RoleMayNotLogIn => ("is not permitted to log in",
            () => Server.ExecuteAsync($"ALTER ROLE {_name} NOLOGIN"),
            () => Server.ExecuteAsync($"ALTER ROLE {_name} LOGIN")),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal)),
    };

    private async Task CreateRoleAndDatabaseAsync()
    {
        await Server.ExecuteAsync($"CREATE ROLE {_name} LOGIN PASSWORD '{Password}'");
        await Server.CreateDatabaseAsync(_name);
    }

    private void AssertClear(PoolConnectException exception, ConnectionPool pool, string named)
    {
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
        Assert.False(exception.IsTransient);
        Assert.DoesNotContain(Password, exception.ToString() + pool + pool.GetStatistics() + string.Join(' ', Log.Entries), StringComparison.Ordinal);
    }
}
