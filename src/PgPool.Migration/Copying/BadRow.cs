using Npgsql;

namespace PgPool.Migration.Copying;

/// <summary>A row that the target refuses.</summary>
/// <param name="Name">Its key, as "id = 5", or without one where it is.</param>
/// <param name="Text">The row as PostgreSQL prints a row.</param>
/// <param name="Refusal">Why.</param>
internal sealed record BadRow(string Name, string Text, PostgresException Refusal);
