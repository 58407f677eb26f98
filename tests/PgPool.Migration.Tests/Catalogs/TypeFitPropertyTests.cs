using CsCheck;
using PgPool.Migration.Catalogs;
using Xunit;

namespace PgPool.Migration.Tests.Catalogs;

public sealed class TypeFitPropertyTests
{
    private const string Column = "\"c\"";

    // Any two types, most of them alike.
    private static readonly Gen<(Shape From, Shape To)> Pairs = Gen.Frequency(
        (1, Gen.Select(Shape.Any, Shape.Any)),
        (1, Shape.Any.Select(static shape => (shape, shape))),
        (1, Shape.Any.SelectMany(static shape => Varied(shape).Select(to => (shape, to)))));

    [Fact]
    public void Fit_TheSameTypeOnBothSides_Fits() => Shape.Any.Sample(static shape =>
    {
        var fit = new TypeWorld(shape, shape).Fit();

        Assert.Null(fit.Problem);
        Assert.Equal(Column, fit.Read);
        Assert.Equal(shape.All.All(IsSentAlike), fit.Form == Likeness.Binary);
    }, iter: 500);

    [Fact]
    public void Fit_AnyTwoTypes_AreBinaryOnlyWhereTheBytesMeanTheSame() => Pairs.Sample(static (from, to) =>
    {
        var world = new TypeWorld(from, to);
        var fit = world.Fit();
        if (fit.Form != Likeness.Binary || fit.Problem is not null)
            return;

        // A cast makes what is sent a value of the core type that it names.
        var isCast = fit.Read != Column;
        var sent = isCast ? to.Undressed : from;
        Assert.True(!isCast || fit.Read.StartsWith($"{Column}::pg_catalog.", StringComparison.Ordinal));
        Assert.Equal(Wire(to), Wire(sent));
        Assert.All(sent.All.Concat(to.All), static part => Assert.True(IsSentAlike(part)));
    }, iter: 2000);

    [Fact]
    public void Fit_AnyTwoTypes_AreTextOnlyWhereTheyAreOfOneMeaningOrConverted() => Pairs.Sample(static (from, to) =>
    {
        var fit = new TypeWorld(from, to).Fit();

        Assert.Equal(fit.Problem is null, fit.Cure is null);
        if (fit is { Problem: null, Form: Likeness.Text, Read: Column })
            Assert.Equal(Wire(from), Wire(to));
    }, iter: 1000);

    [Fact]
    public void Fit_TheTargetsEnumLacksLabels_AreNamed() => Gen.Select(Shape.Any, Gen.Int[0, 2]).Sample(static (shape, lost) =>
    {
        var label = $"{"abc"[lost]}";
        var fit = new TypeWorld(shape, Without(shape, label)).Fit();
        if (!shape.All.Any(part => part.Labels.Contains(label)))
            Assert.Null(fit.Problem);
        else
            Assert.Contains($"lacks '{label}'", fit.Problem, StringComparison.Ordinal);
    }, iter: 500);

    [Fact]
    public void Fit_TheTargetsEnumHasMoreLabels_Fits() => Gen.Select(Shape.Any, Gen.Int[0, 2]).Sample(static (shape, more) =>
        Assert.Null(new TypeWorld(Without(shape, $"{"abc"[more]}"), shape).Fit().Problem));

    [Fact]
    public void Fit_BelowTheNamesOfUserTypes_IsNotBinaryBeforePostgreSql14() => Shape.Any.Sample(static shape =>
    {
        // Their oids are in the stream, and are compared there.
        var sendsOids = shape.All.Any(static whole =>
            whole.Kind is TypeKind.Array or TypeKind.Composite && whole.Parts.Any(static part => !part.IsCore));
        var (old, later) = (new TypeWorld(shape, shape, targetVersion: 13).Fit(), new TypeWorld(shape, shape, targetVersion: 14).Fit());

        Assert.Null(old.Problem);
        Assert.Equal(later.Form == Likeness.Binary && !sendsOids, old.Form == Likeness.Binary);
    }, iter: 500);

    /// <summary>What the bytes of a value are: names of user types and domains are not among them.</summary>
    private static string Wire(Shape shape) => shape.Kind switch
    {
        TypeKind.Domain => Wire(shape.Parts[0]),
        TypeKind.Enum => "label",
        TypeKind.Array => $"[{Wire(shape.Parts[0])}]",
        TypeKind.Composite => $"({string.Join(',', shape.Parts.Select(Wire))})",
        _ => shape.Name,
    };

    private static bool IsSentAlike(Shape part) => part.Name is not ("regclass" or "int2vector" or "aclitem");

    private static Shape Without(Shape shape, string label) =>
        shape with
        {
            Parts = [.. shape.Parts.Select(part => Without(part, label))],
            Labels = [.. shape.Labels.Where(other => other != label)],
        };

    // The same but for one of the core types in it, or for the number of a composite's parts.
    private static Gen<Shape> Varied(Shape shape) =>
        Gen.Select(Gen.OneOf("int4", "int8", "text", "numeric"), Gen.Bool).Select((name, drop) => Vary(shape, name, drop));

    private static Shape Vary(Shape shape, string name, bool drop) => shape switch
    {
        { Kind: TypeKind.Base } => shape with { Name = name },
        { Kind: TypeKind.Composite, Parts.Length: > 1 } when drop => shape with { Parts = shape.Parts[1..] },
        { Kind: TypeKind.Array } => Renamed(Vary(shape.Parts[0], name, drop)),
        _ => shape with { Parts = [.. shape.Parts.Select(part => Vary(part, name, drop))] },
    };

    private static Shape Renamed(Shape part) => new(TypeKind.Array, $"_{part.Name}", [part], []);
}
