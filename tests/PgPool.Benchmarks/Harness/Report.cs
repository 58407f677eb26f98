using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PgPool.TestSupport;

namespace PgPool.Benchmarks.Harness;

/// <summary>The outcome of a run, and what one has to know to read it.</summary>
internal sealed record Report(
    DateTimeOffset At,
    string Runtime,
    int Processors,
    string Server,
    string ServerSource,
    bool Quick,
    IReadOnlyList<BenchmarkResult> Results)
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    [JsonIgnore]
    public string Machine => $"{Runtime}, {Processors} processors, {Server}";

    public static async Task<Report> MakeAsync(PostgresServer server, bool quick, IReadOnlyList<BenchmarkResult> results) => new(
        DateTimeOffset.UtcNow,
        RuntimeInformation.FrameworkDescription,
        Environment.ProcessorCount,
        $"PostgreSQL {await server.ScalarAsync<string>("SHOW server_version")}",
        server.Source.ToString(),
        quick,
        results);

    /// <exception cref="JsonException">It is not what <see cref="ToJson"/> writes.</exception>
    public static Report FromJson(string json) =>
        JsonSerializer.Deserialize<Report>(json, Indented) ?? throw new JsonException("There is no report in it.");

    public string ToJson() => JsonSerializer.Serialize(this, Indented);

    public string ToMarkdown()
    {
        var text = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"{Machine} ({ServerSource}).")
            .AppendLine("Ours: PgPool. Peer: Npgsql's own pool, or what the case names. Ratio: ours / peer, the median over the rounds.")
            .Append(Quick ? "Quick: the figures mean little." + Environment.NewLine : "")
            .AppendLine();
        AppendRow(text, "case", "measured", "ours", "peer", "ratio", "bar", "met?");
        AppendRow(text, "---", "---", "---:", "---:", "---:", "---", "---");
        foreach (var (name, findings, error) in Results)
        {
            foreach (var finding in findings)
            {
                AppendRow(text, name, finding.What, Number(finding.Ours), Number(finding.Peer), Number(finding.Ratio),
                    $"{finding.Bar}", Verdict(finding));
            }
            if (error is not null)
                AppendRow(text, name, error.ReplaceLineEndings(" "), "", "", "", "", "FAILED");
        }
        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, params ReadOnlySpan<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).AppendLine(" |");

    private static string Verdict(Finding finding) => finding.Met switch
    {
        true => "met",
        false => "MISSED",
        null => "",
    };

    /// <summary>Three digits or so: no figure here is good for more.</summary>
    private static string Number(double? figure) => figure switch
    {
        null => "",
        >= 100 => figure.Value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => figure.Value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => figure.Value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
