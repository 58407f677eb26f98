namespace PgPool.Migration.Catalogs;

/// <summary>How many connections of a server a run takes.</summary>
/// <param name="Pool">The name of the pool.</param>
/// <param name="Needed">Leases that the run holds at once.</param>
/// <param name="Open">Connections that the pool has already, lent or idle.</param>
internal sealed record ConnectionDemand(string Pool, int Needed, int Open);
