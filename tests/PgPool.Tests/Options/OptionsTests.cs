using Npgsql;
using Xunit;

namespace PgPool.Tests.Options;

public sealed class OptionsTests
{
    private const string Host = "Host=nowhere.invalid";

    public static TheoryData<string, Action<ConnectionPoolOptions>> BadValues => new()
    {
        { nameof(ConnectionPoolOptions.MinSize), options => options.MinSize = -1 },
        { nameof(ConnectionPoolOptions.MinSize), options => options.MinSize = 11 },
        { nameof(ConnectionPoolOptions.MaxSize), options => options.MaxSize = 0 },
        { nameof(ConnectionPoolOptions.MaxWaiting), options => options.MaxWaiting = -1 },
        { nameof(ConnectionPoolOptions.MaxConcurrentOpens), options => options.MaxConcurrentOpens = 0 },
        { nameof(ConnectionPoolOptions.RentTimeout), options => options.RentTimeout = TimeSpan.FromSeconds(-2) },
        { nameof(ConnectionPoolOptions.RentTimeout), options => options.RentTimeout = TimeSpan.FromDays(25) },
        { nameof(ConnectionPoolOptions.OpenTimeout), options => options.OpenTimeout = TimeSpan.Zero },
        { nameof(ConnectionPoolOptions.OpenTimeout), options => options.OpenTimeout = Timeout.InfiniteTimeSpan },
        { nameof(ConnectionPoolOptions.ValidationTimeout), options => options.ValidationTimeout = TimeSpan.Zero },
        { nameof(ConnectionPoolOptions.ResetTimeout), options => options.ResetTimeout = Timeout.InfiniteTimeSpan },
        { nameof(ConnectionPoolOptions.ReconnectDelay), options => options.ReconnectDelay = TimeSpan.Zero },
        { nameof(ConnectionPoolOptions.MaxReconnectDelay), options => options.MaxReconnectDelay = TimeSpan.FromMilliseconds(99) },
        { nameof(ConnectionPoolOptions.IdleTimeout), options => options.IdleTimeout = TimeSpan.Zero },
        { nameof(ConnectionPoolOptions.MaxLifetime), options => options.MaxLifetime = TimeSpan.FromSeconds(-2) },
        { nameof(ConnectionPoolOptions.LifetimeJitter), options => options.LifetimeJitter = 1.1 },
        { nameof(ConnectionPoolOptions.LifetimeJitter), options => options.LifetimeJitter = double.NaN },
        { nameof(ConnectionPoolOptions.ValidateAfterIdle), options => options.ValidateAfterIdle = TimeSpan.FromSeconds(-2) },
        { nameof(ConnectionPoolOptions.KeepAliveInterval), options => options.KeepAliveInterval = TimeSpan.Zero },
        { nameof(ConnectionPoolOptions.LeaseWarningAfter), options => options.LeaseWarningAfter = TimeSpan.Zero },
        { nameof(ConnectionPoolOptions.NestedRents), options => options.NestedRents = (NestedRentPolicy)7 },
        { nameof(ConnectionPoolOptions.IdleOrder), options => options.IdleOrder = (IdleOrder)7 },
        { nameof(ConnectionPoolOptions.SessionReset), options => options.SessionReset = (SessionReset)7 },
        { nameof(ConnectionPoolOptions.TimeProvider), options => options.TimeProvider = null! },
        { nameof(ConnectionPoolOptions.Name), options => options.Name = " " },
        { nameof(ConnectionPoolOptions.ConnectionString), options => options.ConnectionString = "" },
        { nameof(ConnectionPoolOptions.ConnectionString), options => options.ConnectionString = "Username=nobody" },
        { nameof(ConnectionPoolOptions.ConnectionString), options => options.ConnectionString = "no keywords here" },
    };

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Ctor_BadValue_IsRefusedNamingTheProperty(string property, Action<ConnectionPoolOptions> change)
    {
        var options = new ConnectionPoolOptions(Host);
        change(options);

        var exception = Assert.Throws<ArgumentException>(() => new ConnectionPool(options));

        Assert.Equal(property, exception.ParamName);
        Assert.Contains(property, exception.Message);
    }

    [Theory]
    [InlineData("Host=h;Pasword=s3cr3t", "Pasword")]
    [InlineData("Host=h;Password=s3cr3t;Port=s3cr3t", "Port")]
    public void Ctor_BadKeyword_IsNamedAndItsValueIsNot(string connectionString, string keyword)
    {
        var exception = Assert.Throws<ArgumentException>(() => new ConnectionPool(connectionString));

        Assert.Contains($"'{keyword}'", exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("s3cr3t", exception.ToString());
    }

    [Fact]
    public async Task Ctor_Options_AreCopied()
    {
        var options = new ConnectionPoolOptions(Host) { MinSize = 0, MaxSize = 3 };
        await using var pool = new ConnectionPool(options);
        options.MaxSize = 99;

        Assert.Equal(3, pool.MaxSize);
    }

    [Fact]
    public async Task Ctor_NoName_OneIsGenerated()
    {
        await using var first = new ConnectionPool(new ConnectionPoolOptions(Host) { MinSize = 0 });
        await using var second = new ConnectionPool(new ConnectionPoolOptions(Host) { MinSize = 0 });

        Assert.Matches(@"^PgPool-\d+$", first.Name);
        Assert.NotEqual(first.Name, second.Name);
    }

    [Fact]
    public void FromConnectionString_PoolKeywords_AreTakenOver()
    {
        var options = ConnectionPoolOptions.FromConnectionString(
            Host + ";Minimum Pool Size=3;Maximum Pool Size=7;Timeout=5;Connection Lifetime=0;Connection Idle Lifetime=60;Keepalive=9;No Reset On Close=true");

        Assert.Equal((3, 7), (options.MinSize, options.MaxSize));
        Assert.Equal(TimeSpan.FromSeconds(5), options.RentTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.OpenTimeout);
        Assert.Equal(Timeout.InfiniteTimeSpan, options.MaxLifetime);
        Assert.Equal(TimeSpan.FromSeconds(60), options.IdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(9), options.KeepAliveInterval);
        Assert.Equal(SessionReset.RollbackOnly, options.SessionReset);
    }

    [Fact]
    public void FromConnectionString_NoPoolKeywords_LeavesTheDefaults()
    {
        var options = ConnectionPoolOptions.FromConnectionString(Host);
        var defaults = new ConnectionPoolOptions();

        foreach (var property in typeof(ConnectionPoolOptions).GetProperties().Where(property => property.Name != nameof(options.ConnectionString)))
            Assert.Equal(property.GetValue(defaults), property.GetValue(options));
    }

    [Theory]
    [InlineData("Minimum Pool Size=20", 20, 20)]
    [InlineData("Minimum Pool Size=2", 2, 10)]
    [InlineData("Maximum Pool Size=100", 1, 100)]
    public void FromConnectionString_OneBound_FitsTheOther(string keywords, int min, int max)
    {
        var options = ConnectionPoolOptions.FromConnectionString($"{Host};{keywords}");

        Assert.Equal((min, max), (options.MinSize, options.MaxSize));
    }

    [Fact]
    public void FromConnectionString_TimeoutZero_WaitsForEver()
    {
        var options = ConnectionPoolOptions.FromConnectionString(Host + ";Timeout=0;Keepalive=0");

        Assert.Equal(Timeout.InfiniteTimeSpan, options.RentTimeout);
        Assert.Equal(Timeout.InfiniteTimeSpan, options.KeepAliveInterval);
        Assert.Equal(new ConnectionPoolOptions().OpenTimeout, options.OpenTimeout);
    }

    [Fact]
    public void Ctor_OptionsOfAString_IgnoreItsPoolKeywords()
    {
        var options = new ConnectionPoolOptions(Host + ";Maximum Pool Size=77");

        Assert.Equal(10, options.MaxSize);
        Assert.Equal(77, new NpgsqlConnectionStringBuilder(options.ConnectionString).MaxPoolSize);
    }

    [Fact]
    public async Task Rent_BadTimeout_IsRefused()
    {
        await using var pool = new ConnectionPool(new ConnectionPoolOptions(Host) { MinSize = 0 });
        var options = new RentOptions { Timeout = TimeSpan.FromSeconds(-2) };

        Assert.Equal("options", Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(options, TestContext.Current.CancellationToken)).ParamName);
        Assert.Equal(0, pool.GetStatistics().Waiting);
    }

    [Theory]
    [InlineData(-1, 5, "minSize")]
    [InlineData(6, 5, "minSize")]
    [InlineData(0, 0, "maxSize")]
    public async Task Resize_BadBounds_AreRefusedAndNothingChanges(int min, int max, string parameter)
    {
        await using var pool = new ConnectionPool(new ConnectionPoolOptions(Host) { MinSize = 0 });

        Assert.Equal(parameter, Assert.ThrowsAny<ArgumentException>(() => pool.Resize(min, max)).ParamName);

        Assert.Equal((0, 10), (pool.MinSize, pool.MaxSize));
    }
}
