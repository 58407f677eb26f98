using PgPool.Migration.Statements;

namespace PgPool.Migration.Updating;

/// <summary>The caller's UPDATE or DELETE, taken apart as far as is needed to run it exactly once on each range.</summary>
/// <remarks>
/// The rule: it is one statement, and what a range changes has its key within that range, before and after. So no row is met by two ranges.
/// <see cref="Checked"/> has the server watch over that, whatever the statement's conditions, triggers and functions are.
/// </remarks>
internal sealed class UpdateStatement
{
    private static readonly string[] Parameters = ["first", "last"];

    private readonly IReadOnlyList<SqlToken> _tokens;
    private readonly int _verb;
    private readonly int _afterTarget;

    private UpdateStatement(string sql, SqlTokenizer tokenizer, IReadOnlyList<SqlToken> tokens)
    {
        Sql = sql;
        _tokens = tokens;
        HasPlainBackslash = tokenizer.HasPlainBackslash;
        _verb = FindVerb();
        (Target, Alias, _afterTarget) = ReadTarget();
    }

    /// <summary>The statement as the caller wrote it.</summary>
    public string Sql { get; }

    /// <summary>Whether an ordinary string has a backslash.</summary>
    public bool HasPlainBackslash { get; }

    /// <summary>The table it changes, as it is written; null where it is none of an UPDATE or DELETE.</summary>
    public string? Target { get; }

    /// <summary>What that table is called within the statement.</summary>
    public string Alias { get; }

    /// <summary>The statement with $1 for @first and $2 for @last.</summary>
    public string Plain => Rewrite(0, _tokens.Count);

    /// <summary>The columns to which it assigns.</summary>
    public IEnumerable<string> Assigned => Target is not null && _tokens[_verb].IsWord("update") ? ReadAssigned() : [];

    /// <exception cref="ArgumentException">It is not one statement with both parameters.</exception>
    public static UpdateStatement Parse(string sql)
    {
        var tokenizer = SqlTokenizer.Read(sql);
        if (SqlStatement.One(tokenizer.Tokens) is not { } tokens)
            throw Bad("must be one UPDATE or DELETE: run several one after the other, each with an id of its own");
        foreach (var parameter in Parameters)
        {
            if (!tokens.Any(token => token.Kind == SqlTokenKind.Parameter && token.Text == parameter))
            {
                throw Bad($"has no @{parameter} outside of strings and comments: it would run on all rows for each range. "
                    + "Add \"WHERE key BETWEEN @first AND @last\"");
            }
        }

        if (tokens.Zip(tokens.Skip(1)).Any(static pair => pair.First.IsSymbol('$') && pair.Second.Kind == SqlTokenKind.Literal))
            throw Bad("has a parameter by number: use @first and @last");
        return new UpdateStatement(sql, tokenizer, tokens);

        static ArgumentException Bad(string what) => new($"The statement {what}.", nameof(sql));
    }

    /// <summary>
    /// A query that runs the statement and returns how many rows it changed, and of these how many have their key outside of the range from $3 to $4.
    /// </summary>
    /// <param name="key">The key's column, quoted.</param>
    /// <param name="type">Its type, as SQL.</param>
    public string Checked(string key, string type)
    {
        if (Target is null)
            return Plain;

        // The table's own name for itself: a column of this name may be in several tables of the statement.
        var column = $"{Migration.Sql.Name(Alias)}.{key}";
        var returning = Index(_verb, static token => token.Depth == 0 && token.IsWord("returning")) < 0 ? "\nRETURNING " : "\n, ";
        return $"""
            {Rewrite(0, _verb)}{(_verb == 0 ? "WITH" : ",")} pgpool_changed AS (
            {Rewrite(_verb, _tokens.Count)}{returning}{column} >= $3::{type} AND {column} <= $4::{type} AS pgpool_is_within)
            SELECT count(*), count(*) FILTER (WHERE pgpool_is_within IS NOT TRUE) FROM pgpool_changed
            """;
    }

    // Comments and white space between the tokens go along, but for those behind the last one.
    private string Rewrite(int from, int to)
    {
        var text = new System.Text.StringBuilder();
        var at = from == 0 ? 0 : _tokens[from].Start;
        foreach (var token in _tokens.Skip(from).Take(to - from))
        {
            var parameter = token.Kind == SqlTokenKind.Parameter ? Array.IndexOf(Parameters, token.Text) : -1;
            text.Append(Sql, at, token.Start - at);
            text.Append(parameter < 0 ? Sql[token.Start..token.End] : $"${parameter + 1}");
            at = token.End;
        }

        return text.ToString();
    }

    // At the beginning, or behind the queries of a WITH: elsewhere the words are part of something else.
    private int FindVerb()
    {
        var at = Index(0, static token => token.Depth == 0 && (token.IsWord("update") || token.IsWord("delete")));
        return at == 0 || (at > 0 && _tokens[0].IsWord("with") && _tokens[at - 1].IsSymbol(')')) ? at : -1;
    }

    private (string? Target, string Alias, int After) ReadTarget()
    {
        if (_verb < 0)
            return (null, "", 0);
        var at = _verb + 1;
        while (IsAt(at, static token => token.IsWord("from") || token.IsWord("only") || token.IsSymbol('(')))
            at++;
        var first = at;
        while (IsAt(at, static token => token.IsName) && IsAt(at + 1, static token => token.IsSymbol('.')))
            at += 2;
        if (!IsAt(at, static token => token.IsName))
            return (null, "", at);
        var (target, alias) = (Sql[_tokens[first].Start.._tokens[at].End], _tokens[at].Text);
        at++;
        while (IsAt(at, static token => token.IsSymbol('*') || token.IsSymbol(')') || token.IsWord("as")))
            at++;
        if (IsAt(at, static token => token.IsName && !IsKeyword(token)))
            alias = _tokens[at++].Text;
        return (target, alias, at);
    }

    private static bool IsKeyword(SqlToken token) =>
        token.Kind == SqlTokenKind.Word && token.Text is "set" or "using" or "where" or "returning";

    // a = …, (b, c) = …: names that follow SET or a comma, up to the end of the list.
    private IEnumerable<string> ReadAssigned()
    {
        var isName = false;
        for (var at = _afterTarget; at < _tokens.Count; at++)
        {
            var token = _tokens[at];
            if (token.Depth == 0 && (token.IsWord("where") || token.IsWord("returning") || (token.IsWord("from") && !_tokens[at - 1].IsWord("distinct"))))
                yield break;
            var isStart = token.Depth == 0 && (token.IsWord("set") || token.IsSymbol(','));
            if (isName && token.IsSymbol('('))
            {
                for (at++; at < _tokens.Count && _tokens[at].Depth > 0; at++)
                {
                    if (_tokens[at].IsName)
                        yield return _tokens[at].Text;
                }
            }
            else if (isName && token.IsName)
                yield return token.Text;
            isName = isStart;
        }
    }

    private bool IsAt(int at, Func<SqlToken, bool> holds) => at < _tokens.Count && holds(_tokens[at]);

    private int Index(int from, Func<SqlToken, bool> holds)
    {
        for (var at = Math.Max(from, 0); at < _tokens.Count; at++)
        {
            if (holds(_tokens[at]))
                return at;
        }

        return -1;
    }
}
