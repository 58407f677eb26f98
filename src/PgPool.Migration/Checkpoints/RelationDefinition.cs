using System.Globalization;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Checkpoints;

/// <summary>What a definition keeps of a relation that rows are read from: by it a renamed one is known again, and the order of its ranges.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Key">What its ranges are by; null where it has no key.</param>
internal sealed record RelationDefinition(long Oid, KeyOrder? Key)
{
    private const char Separator = '|';

    /// <summary>The name of the part of a definition.</summary>
    public static string Part(TableName relation) => $"relation {relation}";

    public static bool IsPart(string part) => part.StartsWith("relation ", StringComparison.Ordinal);

    public static RelationDefinition? Of(IReadOnlyDictionary<string, string> definition, TableName relation)
    {
        if (!definition.TryGetValue(Part(relation), out var text))
            return null;

        // The column's name is the last: it may have any character.
        var parts = text.Split(Separator, 4);
        return new(long.Parse(parts[0], CultureInfo.InvariantCulture), parts.Length < 4 ? null : new KeyOrder(parts[3], parts[1], parts[2]));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Oid}{(Key is null ? "" : $"{Separator}{Key.Type}{Separator}{Key.Collation.Replace(Separator, ' ')}{Separator}{Key.Column}")}");
}
