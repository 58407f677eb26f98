using PgPool;

namespace CopyDatabase;

/// <summary>A database of some 300 MB with what makes copying one less than trivial.</summary>
internal static class DemoDatabase
{
    // Of PostgreSQL 12 and later.
    private const string Generated = "GENERATED ALWAYS AS (quantity * price) STORED";

    private const string Schema = """
        CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned');
        CREATE TABLE customers (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, address jsonb NOT NULL, tags text[] NOT NULL,
            referred_by bigint REFERENCES customers, since timestamptz NOT NULL);
        CREATE TABLE products (id int PRIMARY KEY, sku char(12) NOT NULL UNIQUE, price numeric(12,2) NOT NULL, weight real, sizes int[]);
        CREATE TABLE orders (
            id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status order_status NOT NULL,
            history order_status[], placed_at timestamp NOT NULL, delivery interval, note text);
        CREATE TABLE order_lines (
            order_id bigint REFERENCES orders, line smallint, product_id int NOT NULL REFERENCES products,
            quantity int, price numeric(12,2), total numeric(14,2) /* generated */,
            PRIMARY KEY (order_id, line));
        CREATE TABLE documents (id uuid PRIMARY KEY, order_id bigint REFERENCES orders, content bytea NOT NULL);
        ALTER TABLE documents ALTER content SET STORAGE EXTERNAL;
        CREATE TABLE "AuditLog" ("EntryId" bigint PRIMARY KEY, "When" timestamptz NOT NULL, "What" jsonb);
        CREATE TABLE "never used" (id int PRIMARY KEY, remark text);
        """;

    private static readonly string[] Rows =
    [
        """
        INSERT INTO order_lines (order_id, line, product_id, quantity, price)
        SELECT o, l, 1 + (o * 7 + l) % 20000, 1 + o % 9, (o % 9973) / 100.0
        FROM generate_series(1, 500000) o, generate_series(1, 3) l
        """,
        """
        INSERT INTO orders
        SELECT o, 1 + o % 150000, (enum_range(NULL::order_status))[1 + o % 4], (enum_range(NULL::order_status))[1:o % 5],
               timestamp '2020-01-01' + o * interval '3 minutes', CASE WHEN o % 3 = 0 THEN o % 100 * interval '1 hour' END,
               CASE WHEN o % 2 = 0 THEN repeat('leave it at the door ', 1 + (o % 4)::int) END
        FROM generate_series(1, 500000) o
        """,
        """
        INSERT INTO documents
        SELECT md5('document ' || d)::uuid, d * 100, decode(repeat(md5(d::text), 1250), 'hex') FROM generate_series(1, 4000) d
        """,
        """
        INSERT INTO customers (name, address, tags, referred_by, since)
        SELECT 'Customer ' || c,
               jsonb_build_object('street', md5(c::text), 'number', c % 300, 'geo', jsonb_build_array(c / 7.0, NULL)),
               ARRAY['t' || c % 5, NULL, 'né "' || c], CASE WHEN c % 10 = 0 THEN 150001 - c END,
               timestamptz '2015-01-01 UTC' + c * interval '1 hour'
        FROM generate_series(1, 150000) c
        """,
        """
        INSERT INTO "AuditLog"
        SELECT a, timestamptz '2024-01-01 UTC' + a * interval '1 second',
               jsonb_build_object('table', 'orders', 'key', a, 'by', md5(a::text))
        FROM generate_series(1, 200000) a
        """,
        """
        INSERT INTO products
        SELECT p, 'SKU-' || p, p % 5000 / 10.0, p / 3.0, ARRAY[p % 40, p % 41] FROM generate_series(1, 20000) p
        """,
    ];

    public static async Task CreateSchemaAsync(ConnectionPool pool, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(new() { Label = "schema" }, cancellationToken);
        var schema = lease.Connection.PostgreSqlVersion.Major >= 12 ? Schema.Replace("/* generated */", Generated, StringComparison.Ordinal) : Schema;
        await ExecuteAsync(lease, schema, cancellationToken);
    }

    public static Task FillAsync(ConnectionPool pool, CancellationToken cancellationToken) =>
        pool.ForEachAsync(Rows, Rows.Length, async (lease, insert, token) =>
        {
            // All tables at once: orders refer to customers that come later.
            await ExecuteAsync(lease, "SET session_replication_role = replica", token);
            await ExecuteAsync(lease, insert, token);
        }, cancellationToken);

    private static async Task ExecuteAsync(ConnectionLease lease, string sql, CancellationToken cancellationToken)
    {
        await using var command = lease.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
