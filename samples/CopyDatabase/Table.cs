namespace CopyDatabase;

/// <summary>A column, its name quoted as SQL needs it.</summary>
internal sealed record Column(string Name, string Type, bool IsGenerated);

/// <summary>A table, its name qualified and quoted as SQL needs it, and how far its copy has come.</summary>
internal sealed record Table(string Name, long Bytes, long Blocks, IReadOnlyList<Column> Columns, IReadOnlyList<string> References)
{
    private const long PartBytes = 32 * 1024 * 1024;

    public TableProgress Progress { get; } = new();

    /// <summary>
    /// Ranges of blocks, of about <see cref="PartBytes"/> each with their out-of-line values: PostgreSQL 14 and later read a range of
    /// ctids without looking at the rest of the table. They mean the same rows to all who share a snapshot, and to nobody else.
    /// </summary>
    public IEnumerable<Part> Split()
    {
        var count = (int)Math.Clamp(Bytes / PartBytes, 1, Math.Max(Blocks, 1));
        for (var i = 0; i < count; i++)
        {
            // The last part is open: nothing depends on the table's length being exact.
            var from = $"ctid >= '({Blocks * i / count},0)'";
            var to = i == count - 1 ? "" : $" AND ctid < '({Blocks * (i + 1) / count},0)'";
            yield return new Part(this, i + 1, count, from + to);
        }
    }

    public Part Whole() => new(this, 1, 1, "true");
}

/// <summary>A share of a table's rows: what a worker copies at a time, in one transaction.</summary>
internal sealed record Part(Table Table, int Number, int Count, string Condition)
{
    public override string ToString() => Count == 1 ? Table.Name : $"{Table.Name}, part {Number} of {Count}";
}
