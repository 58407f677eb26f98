namespace PgPool;

/// <summary>What is done to a session between two leases.</summary>
public enum SessionReset
{
    /// <summary>
    /// Ends an open transaction and drops all session state: settings, role, cursors, LISTENs, advisory locks, temporary tables, sequence
    /// caches. Statements prepared through Npgsql are kept, and those that <see cref="ConnectionPoolOptions.OnConnectionOpened"/> has prepared by SQL;
    /// what a lease has prepared by SQL's PREPARE may be dropped. Where nothing is to be kept it is PostgreSQL's
    /// <see href="https://www.postgresql.org/docs/current/sql-discard.html">DISCARD ALL</see>, otherwise its parts but for DEALLOCATE ALL and DISCARD PLANS.
    /// </summary>
    Full,

    /// <summary>Ends an open transaction; session state stays with the connection. Where none is open nothing is asked of the server.</summary>
    RollbackOnly,

    /// <summary>
    /// Nothing: the code that rents leaves every session clean. For behind a transaction-mode pooler, too.
    /// A connection that comes back busy is still severed.
    /// </summary>
    None,
}
