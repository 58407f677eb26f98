using System.Diagnostics.CodeAnalysis;
using PgPool.Engine;

namespace PgPool.Tests.Engine.Kit;

/// <summary>The fake server did not let us in.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Thrown by the fake driver alone.")]
internal sealed class OpenException(Answer answer) : Exception($"open: {answer}")
{
    public OpenFailure Failure => answer switch
    {
        Answer.ServerFull => OpenFailure.ServerFull,
        Answer.Refused => OpenFailure.Permanent,
        _ => OpenFailure.Transient,
    };
}
