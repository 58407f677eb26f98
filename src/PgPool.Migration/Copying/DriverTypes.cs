using System.Text.RegularExpressions;

namespace PgPool.Migration.Copying;

/// <summary>Names of types as the driver knows them.</summary>
internal static partial class DriverTypes
{
    [GeneratedRegex("\"((?:[^\"]|\"\")*)\"")]
    private static partial Regex Quoted { get; }

    /// <summary>Of a name as format_type prints it, which quotes what SQL would not read otherwise.</summary>
    public static string NameOf(string type) => Quoted.Replace(
        type, static match => match.Groups[1].Value.Replace("\"\"", "\"", StringComparison.Ordinal));
}
