using System.Net;
using System.Net.Http.Headers;
using Microsoft.Playwright;
using Npgsql;
using PgPool.TestSupport;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace PgPool.Hosting.Tests.Live;

/// <summary>The live view end to end: the real application, a real migration, a real browser.</summary>
public sealed class LiveViewTests(LiveApplication application) : IClassFixture<LiveApplication>, IAsyncLifetime
{
    private readonly List<string> _complaints = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private IPage? _page;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IPage Page
    {
        get
        {
            Assert.SkipWhen(_page is null, Browser.Missing);
            return _page!;
        }
    }

    private ILocator Error => Page.GetByRole(AriaRole.Alert);

    public async ValueTask InitializeAsync()
    {
        // The demonstration is filled, copied and verified first, on a machine that may have much else to do.
        SetDefaultExpectTimeout(4 * (float)Eventually.Deadline.TotalMilliseconds);
        _playwright = await Playwright.CreateAsync();
        if (Browser.Program is null)
            return;
        _browser = await Browser.LaunchAsync(_playwright);
        _page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1180, Height = 860 }, ColorScheme = ColorScheme.Light });
        _page.PageError += (_, error) => _complaints.Add(error);
        await _page.GotoAsync(application.Address);
        await Expect(_page.GetByRole(AriaRole.Status)).ToHaveTextAsync("live");
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task Page_WhileACopyRuns_ShowsGaugesLeasesCountersAndProgress()
    {
        var source = Pool("source");

        await Eventually.BecomesAsync(async () => await PointsAsync("leased") >= 24, "the chart has a history");
        await CopyAgainAsync();
        await Expect(source.Locator("tbody tr").Filter(new() { HasText = "copy " }).First).ToBeVisibleAsync();
        await Expect(source.Locator("tbody tr").Filter(new() { HasText = "DemoClients.cs:" }).First).ToBeVisibleAsync();
        await Expect(Page.Locator("#copy-text")).ToContainTextAsync("3 workers");
        await Eventually.BecomesAsync(async () => await NumberAsync("#copy-bar", "bar => bar.value") > 0.2, "a fifth is copied");
        await Eventually.BecomesAsync(async () => await NumberAsync("[data-pool=source] [data-gauge=waiting]", "gauge => +gauge.textContent") > 0, "somebody waits");
        Assert.True(await NumberAsync("[data-pool=source] dl", "list => +list.querySelector('dd').textContent.replace(/\\D/g, '')") > 0);
        await ScreenshotAsync("light");

        var light = await BackgroundAsync();
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.NotEqual(light, await BackgroundAsync());
        await ScreenshotAsync("dark");

        await Expect(Page.Locator("#copy-text")).ToContainTextAsync("both databases are the same");
        await Expect(Page.Locator("#copy")).ToBeEnabledAsync();
    }

    [Fact]
    public async Task Copy_ThatFails_SaysWhyAndCanBeStartedAgain()
    {
        var state = Page.Locator("#copy-text");
        await Expect(Page.Locator("#copy")).ToBeEnabledAsync();

        await OnTargetAsync("ALTER TABLE products RENAME TO hidden");
        await Page.Locator("#copy").ClickAsync();
        await Expect(state).ToContainTextAsync("failed");
        await Expect(state).ToContainTextAsync("products");
        await OnTargetAsync("ALTER TABLE hidden RENAME TO products");
        await CopyAgainAsync();

        await Expect(state).ToContainTextAsync("both databases are the same");
    }

    [Fact]
    public async Task SuspendAndResume_ByTheKeyboardAlone()
    {
        var target = Pool("target");

        await TabToAsync("target", "Suspend");
        await Page.Keyboard.PressAsync("Enter");
        await Expect(target.Locator(".size")).ToContainTextAsync("suspended");
        await Expect(target.GetByRole(AriaRole.Button, new() { Name = "Resume" })).ToBeFocusedAsync();
        await Page.Keyboard.PressAsync("Space");

        await Expect(target.Locator(".size")).Not.ToContainTextAsync("suspended");
        await Expect(Error).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Resize_BadBoundsShowThePoolsOwnMessage_GoodOnesTakeEffect()
    {
        var target = Pool("target");

        await ResizeAsync(5, 2);
        await Expect(Error).ToContainTextAsync("minSize must be from 0 to maxSize (2), but is 5.");
        await Expect(target.Locator(".size")).ToHaveTextAsync("1 to 6 connections");
        await ResizeAsync(2, 7);
        await Expect(target.Locator(".size")).ToHaveTextAsync("2 to 7 connections");
        await Expect(Error).ToBeHiddenAsync();
        await ResizeAsync(1, 6);
        await Expect(target.Locator(".size")).ToHaveTextAsync("1 to 6 connections");

        async Task ResizeAsync(int min, int max)
        {
            await target.GetByRole(AriaRole.Spinbutton, new() { Name = "min" }).FillAsync($"{min}");
            await target.GetByRole(AriaRole.Spinbutton, new() { Name = "max" }).FillAsync($"{max}");
            await target.GetByRole(AriaRole.Button, new() { Name = "Resize" }).ClickAsync();
        }
    }

    [Fact]
    public async Task Clear_ReplacesTheConnections()
    {
        var closed = Pool("source").Locator("dl div").Filter(new() { HasText = "closed" }).Locator("dd");
        var before = await closed.TextContentAsync();

        await Pool("source").GetByRole(AriaRole.Button, new() { Name = "Clear" }).ClickAsync();

        await Expect(closed).Not.ToHaveTextAsync(before!);
    }

    [Fact]
    public async Task Changes_WithoutTheToken_OrUnderAnotherName_AreRefused()
    {
        using var stranger = new HttpClient { BaseAddress = new Uri(application.Address) };
        Assert.True(IPAddress.IsLoopback(IPAddress.Parse(stranger.BaseAddress.Host)));

        foreach (var path in new[] { "/copy", "/pools/source/suspend", "/pools/source/resume", "/pools/source/clear", "/pools/source/resize?min=0&max=1" })
        {
            using var answer = await stranger.PostAsync(path, null, Stop);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("anti-forgery token", await answer.Content.ReadAsStringAsync(Stop));
        }
        using var renamed = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = "rebound.example" } };
        using var refused = await stranger.SendAsync(renamed, Stop);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task HealthAndPrometheus_AreThereForMachines()
    {
        using var machine = new HttpClient { BaseAddress = new Uri(application.Address) };
        machine.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));

        Assert.Contains(await machine.GetStringAsync("/health", Stop), new[] { "Healthy", "Degraded" });
        var metrics = await machine.GetStringAsync("/metrics", Stop);
        Assert.Matches("""db_client_connection_max\{.*pool_name="source".*\} 6""", metrics);
        Assert.Matches("""db_client_connection_create_time_seconds_bucket\{.*pool_name="target".*le="0\.1".*\}""", metrics);
    }

    private ILocator Pool(string name) => Page.GetByRole(AriaRole.Region, new() { Name = $"Pool {name}" });

    private async Task CopyAgainAsync()
    {
        await Expect(Page.Locator("#copy")).ToBeEnabledAsync();
        await Page.Locator("#copy").ClickAsync();
        await Expect(Page.Locator("#copy")).ToBeDisabledAsync();
    }

    private async Task OnTargetAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(application.Target);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }

    private async Task TabToAsync(string pool, string button)
    {
        await Page.Locator("body").FocusAsync();
        for (var i = 0; i < 40; i++)
        {
            await Page.Keyboard.PressAsync("Tab");
            if (await Page.EvaluateAsync<bool>(
                "([pool, button]) => document.activeElement.closest('[data-pool]')?.dataset.pool === pool && document.activeElement.textContent === button",
                new[] { pool, button }))
            {
                return;
            }
        }
        Assert.Fail($"Tab does not reach {button} of {pool}.");
    }

    private Task<double> NumberAsync(string selector, string read) => Page.Locator(selector).EvaluateAsync<double>(read);

    private async Task<int> PointsAsync(string line)
        => (await Pool("source").Locator($".chart .{line}").GetAttributeAsync("d") ?? "").Count(static letter => letter == 'L');

    private Task<string> BackgroundAsync() => Page.Locator("body").EvaluateAsync<string>("body => getComputedStyle(body).backgroundColor");

    /// <summary>Beside the test's results; where PGPOOL_SCREENSHOTS names a folder, there: so the README's are made.</summary>
    private async Task ScreenshotAsync(string scheme)
    {
        var folder = Environment.GetEnvironmentVariable("PGPOOL_SCREENSHOTS") ?? AppContext.BaseDirectory;
        var picture = await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"live-{scheme}.png") });
        Assert.NotEmpty(picture);
    }
}
