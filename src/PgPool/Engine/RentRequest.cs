namespace PgPool.Engine;

/// <summary>Who rents, and from where: what diagnostics say of the lease.</summary>
/// <param name="Label">The user's name for it.</param>
/// <param name="CallerFile">The file of the rent, in full.</param>
/// <param name="CallerLine">The line of the rent.</param>
/// <param name="Details">What only some pools keep: null in the ordinary case.</param>
internal readonly record struct RentRequest(string? Label, string CallerFile, int CallerLine, RentDetails? Details = null)
{
    /// <summary>"Orders.cs:42".</summary>
    public string CallSite => $"{FileName(CallerFile)}:{CallerLine}";

    // The path is of the machine that compiled the caller: both separators occur anywhere.
    private static string FileName(string path) => path[(path.AsSpan().LastIndexOfAny('/', '\\') + 1)..];
}
