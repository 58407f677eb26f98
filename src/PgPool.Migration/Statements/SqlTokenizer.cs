namespace PgPool.Migration.Statements;

/// <summary>
/// Splits SQL into tokens as PostgreSQL's scanner does: what is in strings, dollar quotes, quoted names and comments is none of the statement's own
/// words. https://www.postgresql.org/docs/current/sql-syntax-lexical.html
/// </summary>
internal sealed class SqlTokenizer
{
    private readonly string _sql;
    private readonly List<SqlToken> _tokens = [];
    private int _at;
    private int _depth;

    private SqlTokenizer(string sql) => _sql = sql;

    /// <summary>Whether an ordinary string has a backslash: what it means is up to standard_conforming_strings.</summary>
    public bool HasPlainBackslash { get; private set; }

    public IReadOnlyList<SqlToken> Tokens => _tokens;

    public static SqlTokenizer Read(string sql)
    {
        var tokenizer = new SqlTokenizer(sql);
        tokenizer.Run();
        return tokenizer;
    }

    private void Run()
    {
        while (_at < _sql.Length)
        {
            var c = _sql[_at];
            if (IsSpace(c))
                _at++;
            else if (Starts("--"))
                SkipLine();
            else if (Starts("/*"))
                SkipComment();
            else if (c == '\'')
                ReadString(escapes: false);
            else if (c is 'e' or 'E' && Peek(1) == '\'')
            {
                _at++;
                ReadString(escapes: true);
            }
            else if (c == '"')
                ReadQuotedName();
            else if (c == '$' && TryReadDollarString())
                continue;
            else if (c == '@' && Peek(-1) != '@' && IsNameStart(Peek(1)))
                ReadParameter();
            else if (IsNameStart(c))
                Add(SqlTokenKind.Word, EndOfName(_at), lower: true);
            else if (char.IsAsciiDigit(c))
                Add(SqlTokenKind.Literal, EndOfNumber());
            else
                ReadSymbol(c);
        }
    }

    private void ReadSymbol(char symbol)
    {
        if (symbol is ')' or ']')
            _depth--;
        Add(SqlTokenKind.Symbol, _at + 1);
        if (symbol is '(' or '[')
            _depth++;
    }

    private void SkipLine()
    {
        var end = _sql.AsSpan(_at).IndexOfAny('\n', '\r');
        _at = end < 0 ? _sql.Length : _at + end;
    }

    // They nest.
    private void SkipComment()
    {
        var open = 0;
        do
        {
            var change = Starts("/*") ? 1 : Starts("*/") ? -1 : 0;
            open += change;
            _at += change == 0 ? 1 : 2;
        }
        while (open > 0 && _at < _sql.Length);
    }

    private void ReadString(bool escapes)
    {
        var start = _at++;
        while (_at < _sql.Length)
        {
            var c = _sql[_at];
            HasPlainBackslash |= c == '\\' && !escapes;
            if (c == '\\' && escapes)
                _at += 2;
            else if (c != '\'')
                _at++;
            else if (Peek(1) == '\'')
                _at += 2;
            else if (ContinuesOnAnotherLine() is { } next)
                _at = next + 1;
            else
                break;
        }

        Add(SqlTokenKind.Literal, Math.Min(_at + 1, _sql.Length), start);
    }

    // 'a' and, behind a line's end, 'b' are one string, of the first one's kind.
    private int? ContinuesOnAnotherLine()
    {
        var at = _at + 1;
        var hasLineEnd = false;
        for (; at < _sql.Length && IsSpace(_sql[at]); at++)
            hasLineEnd |= _sql[at] is '\n' or '\r';
        return hasLineEnd && at < _sql.Length && _sql[at] == '\'' ? at : null;
    }

    private void ReadQuotedName()
    {
        var start = _at++;
        while (_at < _sql.Length && (_sql[_at] != '"' || Peek(1) == '"'))
            _at += _sql[_at] == '"' ? 2 : 1;
        var end = Math.Min(_at + 1, _sql.Length);
        var name = _sql[Math.Min(start + 1, _at)..Math.Min(_at, _sql.Length)].Replace("\"\"", "\"", StringComparison.Ordinal);
        _tokens.Add(new(SqlTokenKind.QuotedName, name, start, end, _depth));
        _at = end;
    }

    private bool TryReadDollarString()
    {
        var end = IsNameStart(Peek(1)) ? EndOfName(_at + 1, dollars: false) : _at + 1;
        if (end >= _sql.Length || _sql[end] != '$')
            return false;
        var tag = _sql[_at..(end + 1)];
        var close = _sql.IndexOf(tag, end + 1, StringComparison.Ordinal);
        Add(SqlTokenKind.Literal, close < 0 ? _sql.Length : close + tag.Length);
        return true;
    }

    private void ReadParameter()
    {
        var end = EndOfName(_at + 1);
        _tokens.Add(new(SqlTokenKind.Parameter, _sql[(_at + 1)..end], _at, end, _depth));
        _at = end;
    }

    // A dot belongs to a number where digits are on one side of it; letters behind make none of another token in what PostgreSQL accepts.
    private int EndOfNumber()
    {
        var end = _at;
        while (end < _sql.Length && (char.IsAsciiLetterOrDigit(_sql[end]) || _sql[end] is '.' or '_'))
            end++;
        return end;
    }

    private int EndOfName(int at, bool dollars = true)
    {
        while (at < _sql.Length && (IsNameStart(_sql[at]) || char.IsAsciiDigit(_sql[at]) || (dollars && _sql[at] == '$')))
            at++;
        return at;
    }

    private static bool IsSpace(char c) => c is ' ' or (>= '\t' and <= '\r');

    // All that is not ASCII counts as a letter.
    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private char Peek(int offset) => _at + offset is >= 0 and var at && at < _sql.Length ? _sql[at] : '\0';

    private bool Starts(string text) => string.CompareOrdinal(_sql, _at, text, 0, text.Length) == 0;

    private void Add(SqlTokenKind kind, int end, int? start = null, bool lower = false)
    {
        var from = start ?? _at;
        var text = kind == SqlTokenKind.Literal ? "" : _sql[from..end];
        _tokens.Add(new(kind, lower ? text.ToLowerInvariant() : text, from, end, _depth));
        _at = end;
    }
}
