namespace PgPool.Migration.Catalogs;

/// <summary>Finds out which columns of a table are copied, and how.</summary>
internal sealed class ColumnMatch(DatabaseCatalog source, DatabaseCatalog target, Problems problems)
{
    private readonly TypeFit _types = new(source, target);

    /// <summary>The columns, in the source's order, the format that all of them can take, and what their values need.</summary>
    /// <remarks>
    /// Of a verification nothing is written: columns that need a value are left alone, and those are compared that the target generates.
    /// </remarks>
    public (IReadOnlyList<CopyColumn> Columns, CopyFormat Format, ValueSettings Settings) Match(TableCopy copy, CatalogTable from, CatalogTable to, bool writes)
    {
        var columns = copy.Columns is { } names ? Named(copy, names, from, to) : All(copy, from, to, writes);
        var format = source.Facts.Encoding == target.Facts.Encoding ? CopyFormat.Binary : CopyFormat.Text;
        var texts = writes ? null : new ValueText(source, target, _types);
        List<CopyColumn> copied = [];
        var needs = ValueNeeds.None;
        foreach (var (column, wanted) in columns)
        {
            var fit = _types.Fit(column, wanted);
            if (fit.Problem is not null)
                problems.Add(copy.Source, $"column {Sql.Name(column.Name)}: {fit.Problem}", fit.Cure!);
            if (fit.Form != Likeness.Binary)
                format = CopyFormat.Text;
            needs |= fit.Needs;
            copied.Add(new(column.Name, fit.Read, wanted.FormattedType)
            {
                IsGenerated = wanted.IsGenerated,
                Compared = fit.Problem is null ? texts?.Of(column, wanted) : null,
            });
        }

        if (writes)
        {
            CheckOthersHaveValues(copy, to, copied);
            if (format == CopyFormat.Text)
                CheckTexts(copy, columns);
        }

        return (copied, format, Settings(copy, needs, format, writes));
    }

    private ValueSettings Settings(TableCopy copy, ValueNeeds needs, CopyFormat format, bool writes)
    {
        var (from, to) = (source.Facts, target.Facts);
        var byZone = needs.HasFlag(ValueNeeds.TimeZone);
        if (byZone && copy.Where is not null && from.TimeZone != to.TimeZone)
        {
            problems.Add(copy.Source,
                $"types with and without a time zone are converted by the target's ({to.TimeZone}),"
                + $" and the condition may go by the source's ({from.TimeZone})",
                "set one TimeZone in both connection strings");
        }

        // As text, kept money would go by C, which has two decimals.
        var plainMoney = writes && format == CopyFormat.Text && needs.HasFlag(ValueNeeds.MoneyKept);
        if (plainMoney && needs.HasFlag(ValueNeeds.MoneyConverted) && from.MoneyUnit != 100)
            problems.Add(copy.Source, "some of its money is converted, and some kept and sent as text", "make all of the target's numeric");
        return new ValueSettings
        {
            HasFullNames = needs.HasFlag(ValueNeeds.FullNames),
            TimeZone = byZone ? to.TimeZone : null,
            HasPlainMoney = plainMoney,
        };
    }

    private void CheckTexts(TableCopy copy, IEnumerable<(CatalogColumn From, CatalogColumn To)> columns)
    {
        foreach (var (column, _) in columns.Where(pair => source.Contains(
            source.Types[pair.From.Type], type => !CoreTypes.IsTextAlike(type, source.Facts, target.Facts))))
        {
            problems.Add(
                copy.Source,
                $"column {Sql.Name(column.Name)} has \"char\", which an older server reads otherwise as text, and others of the table go as text",
                "leave it out, or make it text in the source");
        }
    }

    /// <summary>The columns that a transformation reads, in the order asked for, and those that it writes. They need not have to do with each other.</summary>
    public (IReadOnlyList<CopyColumn> Columns, IReadOnlyList<CopyColumn> Written) MatchTransformed(
        TableCopy copy, IReadOnlyList<string> written, CatalogTable from, CatalogTable to)
    {
        var read = copy.Columns ?? [.. from.Columns.Select(static column => column.Name)];
        CheckSource(copy, read, from);
        CheckTarget(copy, written, to, "the target columns");
        List<CopyColumn> columns = [.. written.Select(to.Column).OfType<CatalogColumn>().Select(column => new CopyColumn(
            column.Name, Sql.Name(column.Name), target.BaseOf(target.Types[column.Type]).Formatted))];
        CheckOthersHaveValues(copy, to, columns);
        return ([.. read.Select(from.Column).OfType<CatalogColumn>().Select(static column => new CopyColumn(
            column.Name, Sql.Name(column.Name), column.FormattedType))], columns);
    }

    private List<(CatalogColumn From, CatalogColumn To)> All(TableCopy copy, CatalogTable from, CatalogTable to, bool writes)
    {
        if (from.Columns.Count == 0)
            problems.Add(copy.Source, "it has no columns", "leave it out of the run");
        List<(CatalogColumn, CatalogColumn)> columns = [];
        foreach (var column in from.Columns)
        {
            if (to.Column(column.Name) is not { } wanted)
            {
                problems.Add(copy.Source, $"the target {to.Name} lacks the column {Sql.Name(column.Name)}{Similar(to, column.Name)}",
                    $"add it there, or name the columns to copy in {nameof(TableCopy.Columns)}");
            }
            else if (!wanted.IsGenerated || !writes)
                columns.Add((column, wanted));
        }

        if (columns.Count == 0 && from.Columns.Count > 0 && from.Columns.TrueForAll(column => to.Column(column.Name) is not null))
            problems.Add(copy.Source, $"the target {to.Name} generates all of its columns itself", "leave it out of the run");
        return columns;
    }

    private List<(CatalogColumn From, CatalogColumn To)> Named(TableCopy copy, IReadOnlyList<string> names, CatalogTable from, CatalogTable to)
    {
        CheckSource(copy, names, from);
        CheckTarget(copy, names, to, nameof(TableCopy.Columns));
        return [.. from.Columns.Where(column => names.Contains(column.Name) && to.Column(column.Name) is { IsGenerated: false })
            .Select(column => (column, to.Column(column.Name)!))];
    }

    private void CheckSource(TableCopy copy, IReadOnlyList<string> names, CatalogTable from)
    {
        foreach (var name in names.Where(name => from.Column(name) is null))
            problems.Add(copy.Source, $"the source has no column {Sql.Name(name)}{Similar(from, name)}", Correct(nameof(TableCopy.Columns)));
    }

    private void CheckTarget(TableCopy copy, IReadOnlyList<string> names, CatalogTable to, string list)
    {
        foreach (var name in names)
        {
            if (to.Column(name) is not { } wanted)
                problems.Add(copy.Source, $"the target {to.Name} has no column {Sql.Name(name)}{Similar(to, name)}", Correct(list));
            else if (wanted.IsGenerated)
            {
                problems.Add(copy.Source, $"the column {Sql.Name(name)} of the target {to.Name} is generated and cannot be written",
                    $"leave it out of {list}");
            }
        }
    }

    private static string Correct(string list) => $"correct {list}: names are as in the catalog, not quoted";

    private void CheckOthersHaveValues(TableCopy copy, CatalogTable to, List<CopyColumn> copied)
    {
        var names = copied.Select(static column => column.Name).ToHashSet();
        foreach (var column in to.Columns.Where(column => !names.Contains(column.Name) && !column.IsGenerated && !HasDefault(column) && RefusesNull(column)))
        {
            problems.Add(copy.Source, $"the column {Sql.Name(column.Name)} of the target {to.Name} is NOT NULL without a default and is not copied",
                "give it a default, or copy it");
        }
    }

    private bool HasDefault(CatalogColumn column) => column.HasDefault || Domains(column).Any(static domain => domain.HasDefault);

    private bool RefusesNull(CatalogColumn column) => column.IsNotNull || Domains(column).Any(static domain => domain.IsNotNull);

    private IEnumerable<CatalogType> Domains(CatalogColumn column)
    {
        for (var type = target.Types[column.Type]; type.Kind == TypeKind.Domain; type = target.Types[type.Parts[0]])
            yield return type;
    }

    // Who writes names as SQL does meets the catalog, which does not fold and does not unquote.
    private static string Similar(CatalogTable table, string name)
    {
        var unquoted = name is ['"', .., '"'] && name.Length > 2 ? name[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : name;
        var similar = table.Column(unquoted) ?? table.Columns.Find(column => string.Equals(column.Name, unquoted, StringComparison.OrdinalIgnoreCase));
        return similar is null ? "" : $" (but {Sql.Name(similar.Name)})";
    }
}
