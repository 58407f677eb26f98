namespace PgPool.Migration.Catalogs;

/// <summary>
/// What a transaction sets for a table whose values need it, beside <see cref="SessionSettings"/>. For no other table, as the caller's
/// conditions and the target's triggers may go by the session's own.
/// </summary>
internal sealed record ValueSettings
{
    /// <summary>For most tables.</summary>
    public static ValueSettings None { get; } = new();

    /// <summary>The source prints names of objects in full, and the target finds PostgreSQL's own before any other of the same
    /// name.</summary>
    public bool HasFullNames { get; init; }

    /// <summary>The target session's time zone, by which the source converts; null: nothing is converted by it.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Money goes as text in a locale that both servers have. What it prints does not matter where both sides have as many
    /// decimals.</summary>
    public bool HasPlainMoney { get; init; }

    /// <summary>For a transaction that reads the table: SQL, or nothing.</summary>
    public string ForReading =>
        (HasFullNames ? "SET LOCAL search_path = pg_catalog;" : "")
        + $"{(TimeZone is null ? "" : $"SET LOCAL TimeZone = {Sql.Literal(TimeZone)};")}{PlainMoney}";

    /// <summary>For a transaction that writes it.</summary>
    public string ForWriting => HasFullNames ? CoreNamesFirst + PlainMoney : PlainMoney;

    private string PlainMoney => HasPlainMoney ? "SET LOCAL lc_monetary = 'C';" : "";

    // The rest of the path stays: triggers may need it.
    private const string CoreNamesFirst = """
        SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', 'pg_catalog',
            nullif(pg_catalog.current_setting('search_path'), '')), true);
        """;
}
