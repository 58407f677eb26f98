using Microsoft.EntityFrameworkCore;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Tests.Data;

/// <summary>EF Core on a lease: the supported way, as it casts its connections to Npgsql's own.</summary>
public sealed class EntityFrameworkTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Context_OnALease_QueriesSavesAndLeavesTheLeaseOpen()
    {
        var database = await Server.CreateDatabaseAsync();
        var pool = Pool(options => options.ConnectionString = database);

        await using (var lease = await pool.RentAsync(Stop))
        {
            await using var context = new Shop(lease);
            await context.Database.EnsureCreatedAsync(Stop);
            context.Customers.AddRange(Enumerable.Range(1, 100).Select(static i => new Customer { Name = $"customer {i}" }));
            Assert.Equal(100, await context.SaveChangesAsync(Stop));
        }
        await using (var lease = await pool.RentAsync(Stop))
        {
            await using (var context = new Shop(lease))
            {
                await using var transaction = await context.Database.BeginTransactionAsync(Stop);
                await context.Customers.Where(static customer => customer.Id > 50).ExecuteDeleteAsync(Stop);
                Assert.Equal(50, await context.Customers.CountAsync(Stop));
                await transaction.RollbackAsync(Stop);
                Assert.Equal("customer 7", (await context.Customers.AsNoTracking().OrderBy(static customer => customer.Id).Skip(6).FirstAsync(Stop)).Name);
            }
            Assert.Equal(100L, await ScalarAsync<long>(lease, "SELECT count(*) FROM \"Customers\""));
        }
        await SettledAsync(pool);

        Assert.Equal(0, pool.GetStatistics().DirtyReturns);
    }

    private sealed class Shop(ConnectionLease lease) : DbContext
    {
        public DbSet<Customer> Customers => Set<Customer>();

        protected override void OnConfiguring(DbContextOptionsBuilder options) => options.UseNpgsql(lease.Connection);
    }

    private sealed class Customer
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }
}
