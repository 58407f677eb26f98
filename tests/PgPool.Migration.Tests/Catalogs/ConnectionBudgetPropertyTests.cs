using CsCheck;
using PgPool.Migration.Catalogs;
using Xunit;

namespace PgPool.Migration.Tests.Catalogs;

public sealed class ConnectionBudgetPropertyTests
{
    // One or two servers, databases and roles with what of them is taken by others; two sides in any of them.
    private static readonly Gen<World> Worlds = Gen.Select(
        Gen.Int[0, 12].Array[2], Gen.Int[-1, 8].Array[4], Gen.Int[-1, 8].Array[4], Gen.Int[0, 3].Array[8],
        Gen.Select(Gen.Int[0, 1], Gen.Int[0, 1], Gen.Int[0, 1], Gen.Int[0, 6], Gen.Int[0, 3]).Array[1, 2],
        static (usable, database, role, others, sides) => new World(usable, database, role, others, sides));

    [Fact]
    public void Check_AnySides_AllowsWhatCouldBeOpened() => Worlds.Sample(static world =>
        Assert.Equal(world.CanOpenAll(), Told(world.Sides()) is null), iter: 1000);

    [Fact]
    public void Check_SidesInAnotherOrder_SaysOfTheSameLimits() => Worlds.Sample(static world =>
        Assert.Equal(Told(world.Sides()) is null, Told([.. world.Sides().Reverse()]) is null), iter: 3000);

    [Fact]
    public void Check_OneConnectionLess_NeverMakesAProblem() => Worlds.Sample(static world =>
    {
        if (Told(world.Sides()) is null)
        {
            Assert.Null(Told([.. world.Sides().Select(static side =>
                (side.Budget, side.Demand with { Needed = Math.Max(0, side.Demand.Needed - 1) }))]));
        }
    }, iter: 3000);

    private static string? Told(IReadOnlyList<(ConnectionBudget, ConnectionDemand)> sides)
    {
        var problems = new Problems();
        ConnectionBudget.Check(sides, problems);
        return Generators.Told(problems);
    }

    /// <param name="Usable">By server.</param>
    /// <param name="Database">By server and database: the limit; -1: none.</param>
    /// <param name="Role">By server and role: likewise.</param>
    /// <param name="Others">By server, database and role: connections of others.</param>
    /// <param name="Wanted">The sides: where, by whom, how many are needed, how many are open.</param>
    private sealed record World(
        int[] Usable, int[] Database, int[] Role, int[] Others, (int Server, int Database, int Role, int Needed, int Open)[] Wanted)
    {
        public IReadOnlyList<(ConnectionBudget Budget, ConnectionDemand Demand)> Sides() => [.. Wanted.Select((side, i) => (
            new ConnectionBudget
            {
                Facts = Generators.Facts($"s{side.Server}", $"r{side.Role}", side.Database),
                Usable = Usable[side.Server],
                MaxConnections = Usable[side.Server] + 3,
                Used = Taken((server, _, _) => server == side.Server),
                DatabaseLimit = Limit(Database[2 * side.Server + side.Database]),
                UsedInDatabase = Taken((server, database, _) => server == side.Server && database == side.Database),
                Role = $"r{side.Role}",
                RoleLimit = Limit(Role[2 * side.Server + side.Role]),
                UsedByRole = Taken((server, _, role) => server == side.Server && role == side.Role),
            },
            new ConnectionDemand($"pool{i}", side.Needed, side.Open)))];

        /// <summary>Opens one connection after the other, as a server would: those that are open already are the pools' own.</summary>
        public bool CanOpenAll()
        {
            int[] open = [.. Others];
            foreach (var side in Wanted)
            {
                for (var i = 0; i < side.Needed; i++)
                {
                    open[Place(side.Server, side.Database, side.Role)]++;
                    if (Sum(open, (server, _, _) => server == side.Server) > Usable[side.Server]
                        || IsAbove(Database[2 * side.Server + side.Database], Sum(open, (server, database, _) =>
                            server == side.Server && database == side.Database))
                        || IsAbove(Role[2 * side.Server + side.Role], Sum(open, (server, _, role) =>
                            server == side.Server && role == side.Role)))
                    {
                        return false;
                    }
                }
            }

            return true;
        }

        private static long? Limit(int limit) => limit < 0 ? null : limit;

        private static bool IsAbove(int limit, int count) => limit >= 0 && count > limit;

        private static int Place(int server, int database, int role) => 4 * server + 2 * database + role;

        private int Taken(Func<int, int, int, bool> isMeant) =>
            Sum(Others, isMeant) + Wanted.Where(side => isMeant(side.Server, side.Database, side.Role)).Sum(static side => side.Open);

        private static int Sum(int[] counts, Func<int, int, int, bool> isMeant) =>
            counts.Select((count, place) => isMeant(place / 4, place / 2 % 2, place % 2) ? count : 0).Sum();
    }
}
