using System.Globalization;
using PgPool.Benchmarks.Cases;
using PgPool.Benchmarks.Harness;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace PgPool.Benchmarks.Charts;

/// <summary>Throughput against the size of the pool, of each workload in relation to its own best: they are far apart.</summary>
internal static class SizingCurves
{
    private static readonly Color[] LineColors = [Color.FromHex("#2F6DB5"), Color.FromHex("#E08E45"), Color.FromHex("#4C9F70")];

    public static Plot? Draw(Report report)
    {
        var curves = report.Results
            .SelectMany(static result => result.Findings)
            .Where(static finding => finding.Point is not null)
            .Select(static finding => (finding.Point!.Curve, finding.Point.Connections, OperationsPerSecond: finding.Ours))
            .GroupBy(static point => point.Curve)
            .ToArray();
        if (curves.Length == 0)
            return null;
        var plot = new Plot();
        plot.Title("Throughput against the size of the pool");
        plot.XLabel($"connections in the pool ({Sizing.Workers} workers)");
        plot.YLabel("% of the best of each workload");
        for (var i = 0; i < curves.Length; i++)
        {
            var best = curves[i].Max(static point => point.OperationsPerSecond);
            var line = plot.Add.Scatter(
                curves[i].Select(static point => Math.Log2(point.Connections)).ToArray(),
                curves[i].Select(point => 100 * point.OperationsPerSecond / best).ToArray(),
                LineColors[i % LineColors.Length]);
            line.LineWidth = 3;
            line.MarkerSize = 9;
            line.LegendText = string.Create(CultureInfo.InvariantCulture, $"{curves[i].Key} (best: {best:#,0} op/s)");
        }

        var sizes = curves.SelectMany(static curve => curve).Select(static point => point.Connections).Distinct();
        plot.Axes.Bottom.TickGenerator = new NumericManual(
            [.. sizes.Select(static size => new Tick(Math.Log2(size), size.ToString(CultureInfo.InvariantCulture)))]);
        plot.Axes.Left.TickGenerator = new NumericFixedInterval(20);
        plot.Axes.Margins(horizontal: 0.05);
        plot.Axes.AutoScaleX();
        plot.Axes.SetLimitsY(0, 105);
        plot.ShowLegend(Edge.Bottom);
        return plot;
    }
}
