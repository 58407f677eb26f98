using System.Globalization;

namespace PgPool.Tests.Soak;

/// <summary>The command line of a soak.</summary>
internal static class SoakCommand
{
    public const string Name = "soak";

    private const string Usage =
        """
        Usage: dotnet run -c Release --project tests/PgPool.Tests -- soak [--minutes 10] [--seed N]
          One pool under random work and random faults; every minute all is made quiet and looked at.
          --minutes M  how long, fractions too; memory is judged from 5 minutes on
          --seed N     what the work and the faults are drawn from
        Ends with 0 when nothing was found, 1 when something was.
        """;

    public static async Task<int> RunAsync(string[] arguments)
    {
        var minutes = 10.0;
        var seed = Random.Shared.Next();
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var option))
        {
            var value = rest.TryDequeue(out var next) ? next : "";
            var understood = option switch
            {
                "--minutes" => double.TryParse(value, CultureInfo.InvariantCulture, out minutes) && minutes is > 0 and <= 10_000,
                "--seed" => int.TryParse(value, CultureInfo.InvariantCulture, out seed),
                _ => false,
            };
            if (!understood)
            {
                Console.Error.WriteLine($"Not understood: {option} {value}");
                Console.Error.WriteLine(Usage);
                return 2;
            }
        }

        var report = new SoakReport(Console.Out);
        await using (var run = await SoakRun.StartAsync(seed, report))
            await run.RunAsync(TimeSpan.FromMinutes(minutes));
        return report.Conclude() ? 0 : 1;
    }
}
