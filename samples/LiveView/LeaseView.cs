namespace LiveView;

/// <summary>A lease that is out.</summary>
internal sealed record LeaseView(long Id, string? Label, string Place, double HeldSeconds, int Backend);
