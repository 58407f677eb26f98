using System.Globalization;
using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Fidelity;

/// <summary>Two databases with a table for each type of the zoo, filled in the source.</summary>
internal sealed class Zoo(string source, string target, int version, bool asText)
{
    private const string Surroundings = """
        CREATE SCHEMA "Other schema"; CREATE TYPE "Other schema"."Of (mine)" AS ENUM ('x');
        CREATE TABLE "Other schema".here (); CREATE TABLE public.here ();
        CREATE FUNCTION "Other schema".f("Other schema"."Of (mine)", text) RETURNS int LANGUAGE sql AS 'SELECT 1';
        """;

    // A row of NULLs.
    private const int NullRow = 100;

    private readonly ZooType[] _types = [.. TypeZoo.Types.Where(type => type.Since <= version)];

    public IReadOnlyList<TableCopy> Tables => [.. _types.Select((_, i) => new TableCopy(Table(i)))];

    /// <summary>The type of each table, for messages.</summary>
    public IReadOnlyList<string> Names => [.. _types.Select(static type => type.Name)];

    public async Task CreateAsync()
    {
        // Other oids in the target.
        await Unpooled.ExecuteAsync(target, "CREATE TYPE first_of_all AS ENUM (); CREATE TYPE then_this AS (a int)");
        foreach (var (side, isTarget) in new[] { (source, false), (target, true) })
        {
            await Unpooled.ExecuteAsync(side, Surroundings + string.Join(';', _types.Select(static type => type.Ddl).OfType<string>()));
            await Unpooled.ExecuteAsync(side, string.Join(';', _types.Select((type, i) => Create(type, i, isTarget))));
        }

        await Unpooled.ExecuteAsync(source, string.Join(';', _types.Select(Fill)));
    }

    /// <summary>Both sides, by what their own output functions print.</summary>
    public async Task AssertSameAsync()
    {
        for (var i = 0; i < _types.Length; i++)
            Assert.Equal((_types[i].Name, await SumAsync(source, i)), (_types[i].Name, await SumAsync(target, i)));
    }

    /// <summary>One change in each table of the target.</summary>
    public async Task<IReadOnlyList<string>> ChangeAsync(Random random)
    {
        List<string> changes = [.. _types.Select((type, i) => Change(type, i, random))];
        await Unpooled.ExecuteAsync(target, string.Join(';', changes));
        return changes;
    }

    private string Create(ZooType type, int i, bool isTarget) => $"""
        CREATE DOMAIN d{i} AS {type.Name};
        CREATE TYPE c{i} AS (a {type.Name}, n d{i}, z {type.Name}[]);
        CREATE TYPE o{i} AS ({(isTarget ? $"b int, c c{i}, a {type.Name}" : $"a {type.Name}, b int, c c{i}")});
        {(HasRange(type) ? $"CREATE TYPE r{i} AS RANGE (subtype = {type.Name});" : "")}
        CREATE TABLE {Table(i)} (id int, companion {(asText ? "regtype" : "int")}, v {type.Name}, vs {type.Name}[], d d{i}, c c{i}, cs c{i}[]
            {(asText ? $", o o{i}" : "")}{(HasRange(type) ? $", r r{i}" : "")})
        """;

    private string Fill(ZooType type, int i) => $"""
        INSERT INTO {Table(i)} SELECT id, 23, v, ARRAY[v, NULL, v], v, ROW(v, v, ARRAY[v, v])::c{i}, ARRAY[ROW(v, NULL, NULL), NULL, ROW(NULL, v, '{Empty}')]::c{i}[]
            {(asText ? $", ROW(v, id, ROW(v, NULL, NULL)::c{i})::o{i}" : "")}{(HasRange(type) ? $", r{i}(v, v, '[]')" : "")}
        FROM (VALUES {string.Join(", ", type.Values.Select((value, number) => $"({number}, ({value})::{type.Name})"))}) AS of (id, v);
        UPDATE {Table(i)} SET vs[-1] = v WHERE id % 2 = 1;
        INSERT INTO {Table(i)} (id) VALUES ({NullRow})
        """;

    private string Change(ZooType type, int i, Random random)
    {
        var id = random.Next(type.Values.Length);
        List<string> changes =
        [
            $"DELETE FROM {Table(i)} WHERE id = {id}",
            $"INSERT INTO {Table(i)} SELECT * FROM {Table(i)} WHERE id = {id}",
            Update("v = NULL", id),
            Update("d = NULL", id),
            Update("vs = pg_catalog.array_append(vs, NULL)", id),
            Update("vs[2] = v", id),
            Update("c.n = NULL", id),
            Update("cs = cs[1:2]", id),
            Update($"vs = '{Empty}'", NullRow),
            Update("c = ROW(NULL, NULL, NULL)", NullRow),
        ];
        if (asText)
            changes.Add(Update("o.b = -5", id));
        if (HasRange(type))
            changes.Add(Update("r = 'empty'", id));
        if (type.Values.Length > 1)
            changes.Add(Update($"v = ({type.Values[(id + 1) % type.Values.Length]})::{type.Name}", id));
        return changes[random.Next(changes.Count)];

        string Update(string what, int row) => $"UPDATE {Table(i)} SET {what} WHERE id = {row}";
    }

    private async Task<string> SumAsync(string side, int i)
    {
        var columns = $"t.id, t.companion, t.v, t.vs, t.d, t.c, t.cs{(asText ? ", (t.o).a, (t.o).b, (t.o).c" : "")}{(HasRange(_types[i]) ? ", t.r" : "")}";
        await using var connection = await Unpooled.OpenAsync(side);

        // Of floats, what all versions print alike.
        await using var command = new NpgsqlCommand(
            "SET search_path = ''; SET TimeZone = 'UTC'; SET extra_float_digits = 0;"
            + $"SELECT count(*) || ' ' || md5(string_agg(md5(ROW({columns})::text), ' ' ORDER BY t.id)) FROM public.{Table(i)} t",
            connection);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static bool HasRange(ZooType type) => type.IsOrdered;

    private const string Empty = "{}";

    private static string Table(int i) => string.Create(CultureInfo.InvariantCulture, $"t{i}");
}
