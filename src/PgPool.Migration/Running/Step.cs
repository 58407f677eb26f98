namespace PgPool.Migration.Running;

/// <summary>How a worker's step ended.</summary>
internal enum Step
{
    /// <summary>Something was committed.</summary>
    Done,

    /// <summary>It failed, and is to be tried again.</summary>
    Failed,

    /// <summary>All that is not done is with others, or waits.</summary>
    NothingToClaim,

    /// <summary>All of the run is done.</summary>
    Finished,

    /// <summary>This worker does not go on.</summary>
    Left,
}
