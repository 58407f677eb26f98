using System.Threading.Channels;
using Npgsql;

namespace PgPool.Migration.Snapshots;

/// <summary>Brings members back into the snapshot from those that are still in it.</summary>
/// <param name="pool">Where new leases come from.</param>
/// <param name="members">All members of the group.</param>
/// <param name="plan">Where else the snapshot may be had.</param>
/// <param name="contents">What the snapshot must be.</param>
/// <param name="lost">Makes the exception that says that it is lost, and why.</param>
internal sealed class SnapshotHealer(
    ConnectionPool pool, IReadOnlyList<SnapshotMember> members, SnapshotPlan plan, string contents, Func<Exception?, SnapshotLostException> lost)
{
    private const int MaxLeases = 3;

    // Others can do the work meanwhile: so no longer than this, whatever the pool's own patience.
    private static readonly TimeSpan RentTimeout = TimeSpan.FromSeconds(10);

    // Who writes may import, who is done reads. One at a time: else the last one in the snapshot could break between another's import and its
    // export, and the snapshot seem lost.
    private readonly Channel<SnapshotMember> _importing = Channel.CreateBounded<SnapshotMember>(1);

    /// <summary>Puts the member on a new lease in the snapshot.</summary>
    /// <param name="member">Taken by the caller; not in the snapshot any more.</param>
    /// <param name="cause">What is known of why, if anything.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False if there is no lease for it now, while others are still in the snapshot.</returns>
    /// <exception cref="SnapshotLostException">Nobody is in the snapshot any more.</exception>
    public async Task<bool> TryHealAsync(SnapshotMember member, Exception? cause, CancellationToken cancellationToken)
    {
        // First of all, for its place in the pool.
        await member.LeaveAsync().ConfigureAwait(false);
        for (var attempt = 1; attempt <= MaxLeases; attempt++)
        {
            var isHeld = await IsHeldAsync(member, cancellationToken).ConfigureAwait(false);
            if (!isHeld && plan.ElsewhereAsync is null)
                throw lost(cause);
            try
            {
                var lease = await RentAsync(isHeld ? RentTimeout : null, cancellationToken).ConfigureAwait(false);
                await JoinAsync(member, lease, cause, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (Exception exception) when (exception is PoolException or ObjectDisposedException)
            {
                cause = exception;
                break;
            }
            catch (LeaseBrokeException exception)
            {
                cause = exception.InnerException;
            }
        }

        return await IsHeldAsync(member, cancellationToken).ConfigureAwait(false) ? false : throw lost(cause);
    }

    private async Task<bool> IsHeldAsync(SnapshotMember member, CancellationToken cancellationToken)
    {
        await _importing.Writer.WriteAsync(member, cancellationToken).ConfigureAwait(false);
        var isHeld = members.Any(static member => member.IsAlive);
        _importing.Reader.TryRead(out _);
        return isHeld;
    }

    // Out of the caller's flow, where the pool watches nested rents: this one only replaces a lease that was given back.
    private Task<ConnectionLease> RentAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var options = new RentOptions { Timeout = timeout, Priority = RentPriority.High, Label = SnapshotGroup.Label };
        using var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        return Task.Run(() => pool.RentAsync(options, cancellationToken).AsTask(), CancellationToken.None);
    }

    private async Task JoinAsync(SnapshotMember member, ConnectionLease lease, Exception? cause, CancellationToken cancellationToken)
    {
        var isJoined = false;
        try
        {
            await _importing.Writer.WriteAsync(member, cancellationToken).ConfigureAwait(false);
            try
            {
                var own = await ImportAsync(member, lease, cancellationToken).ConfigureAwait(false) ?? throw lost(cause);
                member.Join(lease, own.Id);
                isJoined = true;
                if (plan.ChangedAsync is { } changed)
                    await changed(SnapshotMembers.IdsOf(members), cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _importing.Reader.TryRead(out _);
            }
        }
        catch (NpgsqlException exception) when (!isJoined && SnapshotTransaction.IsBroken(lease) && !cancellationToken.IsCancellationRequested)
        {
            throw new LeaseBrokeException(exception);
        }
        finally
        {
            if (!isJoined)
                await SnapshotTransaction.EndAsync(lease).ConfigureAwait(false);
        }
    }

    private async Task<ExportedSnapshot?> ImportAsync(SnapshotMember member, ConnectionLease lease, CancellationToken cancellationToken)
    {
        foreach (var other in members)
        {
            if (other.ExportedId is not { } id)
                continue;
            if (await TryImportAsync(id).ConfigureAwait(false) is { } own)
                return own;
            other.Forget(id);
        }

        if (plan.ElsewhereAsync is not { } elsewhere)
            return null;
        foreach (var id in await elsewhere(cancellationToken).ConfigureAwait(false))
        {
            if (await TryImportAsync(id).ConfigureAwait(false) is { } own)
                return own;
        }

        return null;

        Task<ExportedSnapshot?> TryImportAsync(string id) =>
            SnapshotTransaction.TryImportAsync(lease, id, contents, member.LockSql, cancellationToken);
    }

    /// <summary>A new lease broke before it was in the snapshot.</summary>
    private sealed class LeaseBrokeException(Exception innerException) : Exception(null, innerException);
}
