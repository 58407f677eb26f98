namespace PgPool.Migration;

/// <summary>How closely source and target are compared.</summary>
public enum VerificationMode
{
    /// <summary>By the number of rows.</summary>
    Rows,

    /// <summary>By the number of rows and an order-independent checksum of all columns, computed in the servers.</summary>
    Checksum,
}
