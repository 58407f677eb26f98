namespace PgPool.Migration.Partitions;

/// <summary>What ranges of a key depend on: as long as it stays, those that are done can be told from those that are not.</summary>
/// <param name="Column">The column.</param>
/// <param name="Type">Its type, below all domains, without a length.</param>
/// <param name="Collation">Its collation; empty where its type has none.</param>
internal sealed record KeyOrder(string Column, string Type, string Collation)
{
    // Types whose values compare alike, and whose texts are read alike; a later one has all values of those before it.
    private static readonly string[][] Families = [["smallint", "integer", "bigint", "numeric"], ["text", "character varying"]];

    private const string Query = """
        WITH RECURSIVE wanted AS (
            SELECT number, oid, name FROM unnest($1::int8[], $2::text[]) WITH ORDINALITY AS list (oid, name, number)),
        base AS (
            SELECT wanted.number, a.atttypid AS type, a.attcollation, a.attnotnull
            FROM wanted JOIN pg_catalog.pg_attribute a ON a.attrelid = wanted.oid::oid AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT base.number, t.typbasetype, base.attcollation, base.attnotnull
            FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype = 'd')
        SELECT wanted.oid, t.oid IS NOT NULL,
               CASE WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, -1) ELSE pg_catalog.format('%I.%I', tn.nspname, t.typname) END,
               coalesce(n.nspname || '.' || c.collname, ''), coalesce(base.attnotnull, false)
        FROM wanted
        LEFT JOIN (base JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype <> 'd') ON base.number = wanted.number
        LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_collation c ON c.oid = base.attcollation
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
        ORDER BY wanted.number
        """;

    /// <summary>As columns are now, each with whether it refuses NULL, which is in no range; null where there is no such column.</summary>
    public static async Task<IReadOnlyList<(KeyOrder Order, bool IsNotNull)?>> ReadAsync(
        ConnectionLease lease, IReadOnlyList<(long Oid, string Column)> columns, CancellationToken cancellationToken)
    {
        var command = lease.Command(
            Query, columns.Select(static column => column.Oid).ToArray(), columns.Select(static column => column.Column).ToArray());
        await using (command.ConfigureAwait(false))
        {
            var rows = await command.QueryAsync(
                static row => (Exists: row.GetBoolean(1), Type: row.IsDBNull(2) ? "" : row.GetString(2), Collation: row.GetString(3), IsNotNull: row.GetBoolean(4)),
                cancellationToken).ConfigureAwait(false);
            return [.. columns.Zip(rows).Select((KeyOrder, bool)? (pair) => pair.Second.Exists
                ? (new KeyOrder(pair.First.Column, pair.Second.Type, pair.Second.Collation), pair.Second.IsNotNull) : null)];
        }
    }

    /// <summary>The same order with a type that has the values of both; null where the order is another.</summary>
    public KeyOrder? With(KeyOrder other)
    {
        if (Column != other.Column || Collation != other.Collation)
            return null;
        if (Type == other.Type)
            return this;
        var family = Array.Find(Families, family => family.Contains(Type) && family.Contains(other.Type));
        return family is null ? null : this with { Type = family[Math.Max(Array.IndexOf(family, Type), Array.IndexOf(family, other.Type))] };
    }

    /// <summary>Whether a key, written as column and type with a space between, has by now the same type or a wider one.</summary>
    public static bool IsSameText(string key, string now)
    {
        return Families.Any(family => family.Where(
            (type, i) => Column(key, type) is { } column && family.Skip(i).Any(wider => column == Column(now, wider))).Any());

        static string? Column(string key, string type) => key.EndsWith($" {type}", StringComparison.Ordinal) ? key[..^(type.Length + 1)] : null;
    }
}
