namespace PgPool.Migration.Catalogs;

/// <summary>A relation of either database, as its catalog has it, and what the lease's role may do with it.</summary>
internal sealed record CatalogTable
{
    public required long Oid { get; init; }

    public required TableName Name { get; init; }

    /// <summary>pg_class.relkind.</summary>
    public required char Kind { get; init; }

    public required long Bytes { get; init; }

    public required long Blocks { get; init; }

    public required bool MayUseSchema { get; init; }

    public required bool MayTruncate { get; init; }

    /// <summary>Policies apply to the lease's role.</summary>
    public required bool HasRowSecurity { get; init; }

    /// <summary>In their order, without those that were dropped.</summary>
    public List<CatalogColumn> Columns { get; } = [];

    /// <summary>The columns of the primary key.</summary>
    public List<string> Key { get; } = [];

    /// <summary>Whether the key is checked row by row: what ON CONFLICT can go by.</summary>
    public bool IsKeyImmediate { get; set; }

    /// <summary>Whether the key is a B-tree, which knows the order of its values.</summary>
    public bool IsKeyOrdered { get; set; }

    public bool IsPartitioned => Kind == 'p';

    public CatalogColumn? Column(string name) => Columns.Find(column => column.Name == name);

    public string KindName => Kind switch
    {
        'r' => "a table",
        'p' => "a partitioned table",
        'v' => "a view",
        'm' => "a materialized view",
        'f' => "a foreign table",
        'S' => "a sequence",
        'i' or 'I' => "an index",
        'c' => "a composite type",
        't' => "a TOAST table",
        _ => $"a relation of kind \"{Kind}\"",
    };
}
