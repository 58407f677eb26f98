using System.Globalization;
using PgPool.Benchmarks.Harness;
using ScottPlot;
using ScottPlot.TickGenerators;
using Bar = ScottPlot.Bar;

namespace PgPool.Benchmarks.Charts;

/// <summary>The claims about ratios, all on one scale: where more is better, ratio and bar are turned upside down.</summary>
internal static class RatioBars
{
    private static readonly Color MetColor = Color.FromHex("#4C9F70");
    private static readonly Color MissedColor = Color.FromHex("#E08E45");
    private static readonly Color GoalColor = Color.FromHex("#1B2A41");
    private static readonly Color PeerColor = Color.FromHex("#8A94A6");

    /// <summary>The share of a row that its bar takes.</summary>
    private const double Thickness = 0.6;

    public static Plot? Draw(Report report)
    {
        Row[] rows = [.. RowsOf(report)];
        if (rows.Length == 0)
            return null;
        var plot = new Plot();
        plot.Title("Cost against Npgsql's own pool");
        plot.XLabel("PgPool / Npgsql, less is better");

        // The figures stand in a column of their own, where no bar and no mark is in their way.
        var right = 1.2 * Math.Max(1, rows.Max(static row => Math.Max(row.Ratio, row.Goal)));
        plot.Axes.SetLimits(0, right, -0.7, rows.Length - 0.3);
        plot.Axes.Left.TickGenerator = new NumericManual([.. rows.Select((row, i) => new Tick(Y(i), row.Label))]);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.HideGrid();

        plot.Add.Bars(rows.Select((row, i) => BarOf(row, Y(i))).ToArray()).Horizontal = true;
        plot.Add.VerticalLine(1, width: 1.5f, PeerColor, LinePattern.Dashed);
        for (var i = 0; i < rows.Length; i++)
        {
            var goal = plot.Add.Line(rows[i].Goal, Y(i) - 0.4, rows[i].Goal, Y(i) + 0.4);
            goal.LineColor = GoalColor;
            goal.LineWidth = 4;
            var figure = plot.Add.Text(rows[i].Ratio.ToString("0.00", CultureInfo.InvariantCulture), 0.985 * right, Y(i));
            figure.LabelAlignment = Alignment.MiddleRight;
            figure.LabelFontSize = 14;
            figure.LabelBold = true;
            figure.LabelFontColor = rows[i].IsMet ? MetColor : MissedColor;
        }

        plot.ShowLegend(
        [
            new LegendItem { LabelText = "goal met", FillColor = MetColor },
            new LegendItem { LabelText = "goal missed", FillColor = MissedColor },
            new LegendItem { LabelText = "goal", LineColor = GoalColor, LineWidth = 4 },
            new LegendItem { LabelText = "Npgsql", LineColor = PeerColor, LineWidth = 1.5f, LinePattern = LinePattern.Dashed },
        ]);
        plot.ShowLegend(Edge.Bottom);
        return plot;

        // The first row on top.
        double Y(int row) => rows.Length - 1 - row;
    }

    private static Bar BarOf(Row row, double y) => new()
    {
        Position = y,
        Value = row.Ratio,
        Size = Thickness,
        FillColor = row.IsMet ? MetColor : MissedColor,
        LineWidth = 0,
    };

    private static IEnumerable<Row> RowsOf(Report report)
    {
        foreach (var (name, findings, _) in report.Results)
        {
            foreach (var finding in findings)
            {
                if (finding is not { Ratio: { } ratio, Bar: { } bar, Met: { } isMet })
                    continue;
                yield return bar.IsMinimum
                    ? new Row($"{name}: 1 / ({finding.What})", 1 / ratio, 1 / bar.Limit, isMet)
                    : new Row($"{name}: {finding.What}", ratio, bar.Limit, isMet);
            }
        }
    }

    private sealed record Row(string Label, double Ratio, double Goal, bool IsMet);
}
