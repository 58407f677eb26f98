namespace PgPool.Migration.Catalogs;

/// <summary>What a table's COPY streams are made of.</summary>
internal enum CopyFormat
{
    /// <summary>Proven column by column to mean the same on both sides.</summary>
    Binary,

    /// <summary>Slower, and checked by the target's own input functions: where binary is not proven.</summary>
    Text,
}
