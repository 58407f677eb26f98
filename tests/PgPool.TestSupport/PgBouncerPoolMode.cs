namespace PgPool.TestSupport;

/// <summary>For how long a client of <see cref="PgBouncer"/> has a server connection to itself.</summary>
public enum PgBouncerPoolMode
{
    /// <summary>Until it disconnects.</summary>
    Session,

    /// <summary>Until its transaction ends.</summary>
    Transaction,
}
