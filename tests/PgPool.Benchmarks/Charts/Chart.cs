using PgPool.Benchmarks.Harness;
using ScottPlot;
using SkiaSharp;

namespace PgPool.Benchmarks.Charts;

/// <summary>A picture of a report: what is claimed against Npgsql's pool, and the curves of the size of the pool.</summary>
internal static class Chart
{
    /// <summary>A font is all that drawing needs of the machine: the rest comes with the packages.</summary>
    public const string NoFont = "A chart needs a font, and this machine has none: install one, on Debian the package fonts-dejavu-core.";

    private const int Height = 700;
    private const int FooterHeight = 30;
    private const int Gap = 25;

    // Without fonts there is a default one nevertheless, of no characters: all labels would be missing.
    public static bool HasFont => SKTypeface.Default.ContainsGlyphs("0A");

    /// <returns>False if the report has nothing that can be drawn.</returns>
    public static bool TryDraw(Report report, string file)
    {
        // The first font that is there may be one with serifs, which reads badly at this size.
        var families = SKFontManager.Default.FontFamilies;
        if (families.FirstOrDefault(static family => family.EndsWith(" Sans", StringComparison.Ordinal)) is { } sans)
            Fonts.Default = sans;

        // A run may be of a few cases only, with nothing for the one or the other.
        (Plot? Plot, int Width)[] parts = [(RatioBars.Draw(report), 850), (SizingCurves.Draw(report), 650)];
        var width = parts.Sum(static part => part.Plot is null ? 0 : part.Width);
        if (width == 0)
            return false;
        using var surface = SKSurface.Create(new SKImageInfo(width, Height));
        surface.Canvas.Clear(SKColors.White);
        var left = 0;
        foreach (var part in parts)
        {
            if (part.Plot is not { } plot)
                continue;
            Style(plot);
            plot.Render(surface.Canvas, new PixelRect(left, left + part.Width - Gap, Height - FooterHeight, 0));
            left += part.Width;
        }
        DrawFooter(report, surface.Canvas, width);
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        using var stream = File.Create(file);
        png.SaveTo(stream);
        return true;
    }

    private static void DrawFooter(Report report, SKCanvas canvas, int width)
    {
        using var paint = Paint.NewDisposablePaint();
        var footer = new LabelStyle
        {
            Text = FormattableString.Invariant($"{report.At:yyyy-MM-dd}, {report.Machine}{(report.Quick ? ", quick" : "")}"),
            FontSize = 12,
            ForeColor = Colors.Gray,
            Alignment = Alignment.LowerRight,
        };
        footer.Render(canvas, new Pixel(width - Gap, Height - 8), paint);
    }

    private static void Style(Plot plot)
    {
        // It would wipe out the plot beside it.
        plot.RenderManager.ClearCanvasBeforeEachRender = false;
        plot.Axes.Title.Label.FontSize = 20;
        foreach (var axis in plot.Axes.GetAxes())
        {
            axis.Label.FontSize = 14;
            axis.Label.Bold = false;
            axis.TickLabelStyle.FontSize = 14;
        }
        plot.Axes.Right.IsVisible = false;
        plot.Axes.Top.IsVisible = false;
        plot.Legend.FontSize = 14;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.Orientation = Orientation.Horizontal;
    }
}
