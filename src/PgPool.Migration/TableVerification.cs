namespace PgPool.Migration;

/// <summary>What a verification found of one table.</summary>
/// <param name="Source">The table read in the source.</param>
/// <param name="Target">The table read in the target.</param>
/// <param name="SourceRows">Rows of the source, those of the condition if there is one.</param>
/// <param name="TargetRows">Rows of the target under the same condition.</param>
/// <param name="Matches">Whether both sides are the same by the mode that was asked for.</param>
public sealed record TableVerification(TableName Source, TableName Target, long SourceRows, long TargetRows, bool Matches)
{
    /// <summary>Rows of the source that this run has put aside (<see cref="BadRows.Reject"/>), unless the target has them all the
    /// same.</summary>
    public long RejectedRows { get; init; }

    /// <summary>Whether both sides are the same but for <see cref="RejectedRows"/>; false where <see cref="Matches"/> is true.</summary>
    public bool MatchesButForRejected { get; init; }
}
