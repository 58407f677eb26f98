using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace PgPool.Hosting.Tests;

public sealed class ConfigurationTests
{
    private const string Nowhere = "Host=nowhere.invalid;Minimum Pool Size=0;Maximum Pool Size=7";

    [Fact]
    public void ConnectionString_AndItsSectionOverIt_MakeThePool()
    {
        using var host = Build(builder => builder.AddPgPool("shop"),
            ("ConnectionStrings:shop", Nowhere), ("PgPool:shop:MinSize", "0"), ("PgPool:shop:maxSize", "9"),
            ("PgPool:shop:SessionReset", "RollbackOnly"), ("PgPool:shop:RentTimeout", "00:00:05"));

        var pool = host.Services.GetRequiredService<ConnectionPool>();

        Assert.Equal(("shop", 0, 9), (pool.Name, pool.MinSize, pool.MaxSize));
    }

    [Fact]
    public void ConnectionString_KeywordsOfThePool_AreRead()
    {
        using var host = Build(builder => builder.AddPgPool("shop"), ("ConnectionStrings:shop", Nowhere));

        Assert.Equal(7, host.Services.GetRequiredService<ConnectionPool>().MaxSize);
    }

    [Fact]
    public void Code_ComesLast()
    {
        using var host = Build(builder => builder.AddPgPool("shop", options => options.MaxSize *= 2),
            ("PgPool:shop:ConnectionString", "Host=nowhere.invalid"), ("PgPool:shop:MinSize", "0"), ("PgPool:shop:MaxSize", "4"));

        Assert.Equal(8, host.Services.GetRequiredService<ConnectionPool>().MaxSize);
    }

    [Fact]
    public void Keyed_SeveralPools_HaveASectionEach()
    {
        using var host = Build(builder => builder.AddKeyedPgPool("old").AddKeyedPgPool("new"),
            ("ConnectionStrings:old", Nowhere), ("ConnectionStrings:new", Nowhere), ("PgPool:new:MaxSize", "3"));

        Assert.Equal(("old", 7), Of("old"));
        Assert.Equal(("new", 3), Of("new"));

        (string, int) Of(string key) => (host.Services.GetRequiredKeyedService<ConnectionPool>(key).Name, host.Services.GetRequiredKeyedService<ConnectionPool>(key).MaxSize);
    }

    [Theory]
    [InlineData("PgPool:shop:MaxSize", "0", "PgPool:shop:MaxSize must be 1 or more, but is 0.")]
    [InlineData("PgPool:shop:MaxSize", "many", "'PgPool:shop:MaxSize'")]
    [InlineData("PgPool:shop:MaxSiez", "9", "PgPool:shop:MaxSiez is no option: there are")]
    [InlineData("PgPool:shop:LoggerFactory", "x", "PgPool:shop:LoggerFactory is no option")]
    [InlineData("PgPool:shop:Name", "x", "PgPool:shop:Name is no option")]
    [InlineData("PgPool:shop:SessionReset", "Partial", "'PgPool:shop:SessionReset'")]
    [InlineData("PgPool:shop:IdleTimeout", "-00:00:05", "PgPool:shop:IdleTimeout must be")]
    [InlineData("PgPool:shop:Host:DrainTimeout", "-00:00:05", "PgPool:shop:Host:DrainTimeout must be from zero to 24 days, or infinite;")]
    [InlineData("PgPool:shop:Host:DrainTimeout", "30", "30 alone is 30 days")]
    [InlineData("PgPool:shop:Host:WarmUpTimeout", "60", "PgPool:shop:Host:WarmUpTimeout must be more than zero and at most 24 days")]
    [InlineData("PgPool:shop:Host:WarmUpTimeout", "0", "PgPool:shop:Host:WarmUpTimeout must be more than zero")]
    [InlineData("PgPool:shop:Host:Drain", "00:00:05", "PgPool:shop:Host:Drain is no option: there are")]
    [InlineData("ConnectionStrings:shop", "", "ConnectionStrings:shop is missing")]
    [InlineData("ConnectionStrings:shop", "Host=x;Colour=blue;Password=s3cr3t", "'colour'")]
    public async Task BadValue_FailsTheStartAndNamesTheKey(string key, string value, string expected)
    {
        using var host = Build(builder => builder.AddPgPool("shop"), ("ConnectionStrings:shop", Nowhere), (key, value));

        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains(expected, refusal.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("s3cr3t", refusal.ToString());
    }

    [Fact]
    public void TwoPoolsOfOneName_AreRefused()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.AddPgPool("shop");

        Assert.Contains("'shop'", Assert.Throws<ArgumentException>(() => builder.AddKeyedPgPool("shop")).Message);
        Assert.ThrowsAny<ArgumentException>(() => builder.AddPgPool(" "));
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Maximum Pool Size=50", 50, 3)]
    [InlineData("", 7, 3)]
    public void ConnectionStringInTheSection_GoesOverTheOtherWithItsKeywords(string own, int maxSize, int minSize)
    {
        using var host = Build(builder => builder.AddPgPool("shop"),
            ("ConnectionStrings:shop", $"{Nowhere};Maximum Pool Size=7"), ("PgPool:shop:ConnectionString", own), ("PgPool:shop:MinSize", "3"));

        var pool = host.Services.GetRequiredService<ConnectionPool>();

        Assert.Equal((maxSize, minSize), (pool.MaxSize, pool.MinSize));
    }

    [Fact]
    public void SecondPoolWithoutAKey_IsRefused()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.AddKeyedPgPool("archive").AddPgPool("shop").AddKeyedPgPool("reports");

        Assert.Contains("'shop'", Assert.Throws<ArgumentException>(() => builder.AddPgPool("store")).Message);
    }

    private static IHost Build(Action<HostApplicationBuilder> add, params ReadOnlySpan<(string Key, string Value)> settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        foreach (var (key, value) in settings)
            builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>(key, value)]);
        add(builder);
        return builder.Build();
    }
}
