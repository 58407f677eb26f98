using CsCheck;
using Npgsql;
using PgPool.Migration.Copying;
using PgPool.Migration.Running;
using Xunit;

namespace PgPool.Migration.Tests.Running;

public sealed class FailuresPropertyTests
{
    // Every class of SQLSTATE there is, and some that there are not.
    private static readonly Gen<string> States = Gen.Select(
        Gen.OneOf("00", "08", "0A", "22", "23", "25", "28", "40", "42", "53", "54", "55", "57", "58", "F0", "HV", "P0", "XX"),
        Gen.OneOf("000", "001", "006", "014", "100", "200", "300", "P01", "P02", "P03", "P04", "P05"), static (of, state) => of + state);

    private static readonly Gen<Exception> Causes = Gen.OneOf(
        States.Select(static state => (Exception)Refusal(state, "no")),
        Gen.OneOf<Exception>(
            new TimeoutException("t"), new IOException("i"), new NpgsqlException("n"), new NpgsqlException("n", new TimeoutException("t")),
            new NpgsqlException("n", new IOException("i")), new MigrationException("m"), new InvalidOperationException("o"),
            new InvalidDataException("d")));

    private static readonly Gen<string> Messages =
        Gen.Select(Generators.Text, Gen.OneOf("", ".", "..."), static (text, stops) => text + stops);

    [Fact]
    public void Classify_AtEitherEndOfARelay_IsThatOfTheCause() => Gen.Select(Causes, Gen.Enum<CopySide>()).Sample(static (cause, side) =>
    {
        var relayed = new CopyFailedException(side, cause);
        Assert.Equal(Failures.Classify(cause), Failures.Classify(relayed));
        Assert.Equal(Failures.Cure(cause), Failures.Cure(relayed));
        Assert.Same(cause, Failures.CauseOf(relayed));
        Assert.Equal(cause as PostgresException, Failures.Refusal(relayed));
    });

    [Fact]
    public void Classify_AnySqlState_IsTriedAgainOnlyWhereTimeMayHelp() => States.Sample(static state =>
    {
        var kind = Failures.Classify(Refusal(state, "no"));
        var expected = state[..2] switch
        {
            "08" => FailureKind.Transient,
            "22" or "23" => FailureKind.BadRow,

            // A serialization failure or a deadlock; not an unknown outcome.
            "40" when state is "40001" or "40P01" => FailureKind.Transient,
            "53" when state is "53200" or "53300" => FailureKind.Overload,
            "55" when state is "55P03" => FailureKind.Transient,
            "57" when state == "57014" => FailureKind.TimedOut,
            "57" when state is "57P01" or "57P02" or "57P03" or "57P05" => FailureKind.Transient,
            "25" when state == "25006" => FailureKind.Transient,
            _ => FailureKind.Fatal,
        };
        Assert.Equal(expected, kind);
    }, iter: 2000);

    [Fact]
    public void Words_AnyMessage_IsASentenceWithTheWholeMessage() => Gen.Select(Messages, Messages).Sample(static (message, inner) =>
    {
        Exception[] exceptions =
            [new MigrationException(message), new NpgsqlException(message, new IOException(inner)), Refusal("22000", message)];
        foreach (var exception in exceptions)
        {
            var words = Failures.Words(exception);
            Assert.EndsWith(".", words, StringComparison.Ordinal);
            Assert.False(words.EndsWith("..", StringComparison.Ordinal));
            Assert.Contains(message.TrimEnd('.'), words, StringComparison.Ordinal);
            if (exception.InnerException is not null)
                Assert.Contains(inner.TrimEnd('.'), words, StringComparison.Ordinal);
        }
    });

    private static PostgresException Refusal(string state, string message) => new(message, "ERROR", "ERROR", state);
}
