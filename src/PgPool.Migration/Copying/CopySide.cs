namespace PgPool.Migration.Copying;

/// <summary>The end of a relay at which something happened.</summary>
internal enum CopySide
{
    /// <summary>Where rows are read.</summary>
    Source,

    /// <summary>Where rows are written.</summary>
    Target,
}
