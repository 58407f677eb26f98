namespace PgPool.Migration.Catalogs;

/// <summary>What a type is, as to its parts.</summary>
internal enum TypeKind
{
    /// <summary>Nothing else: its own input, output, send and receive functions.</summary>
    Base,
    Array,
    Domain,
    Enum,

    Range,
    Multirange,
    Composite,
}
