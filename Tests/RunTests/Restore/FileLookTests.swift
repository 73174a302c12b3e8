import DatabudgieTestSupport
import Postgres
import Synchronization
import Testing

@testable import Databudgie

@Suite("Locks while a restore looks at files")
struct FileLookTests {
    private let schema = """
        create table product (id serial primary key, name text not null);
        create table sale (id int primary key, product_id int references product);
        create table event (id int, kind text) partition by range (id);
        create table event_low partition of event for values from (0) to (10);
        create view cheap as select id from product; create materialized view counts as select count(*) from sale;
        """
    private let rows = """
        insert into product (name) values ('tea'); insert into sale values (1, 1); insert into event values (1, 'a');
        """

    /// What another session saw while a request waited for its reply.
    private struct Glimpse {
        let target: String
        /// The restore had a transaction open.
        let isOpen: Bool
        /// The old rows could not be read.
        let isLocked: Bool
    }

    @Test(
        "No transaction is open and no table is locked while files are listed and headers and sequences are read",
        arguments: [true, false],
        [true, false]
    )
    func files(replaces: Bool, isDryRun: Bool) async throws {
        let server = try await S3Server.shared
        try await RunFixture.with { fixture in
            try await server.withFolder { folder in
                try await fixture.execute(fixture.source, schema + rows)
                try await fixture.execute(fixture.target, "create table other (id int); insert into other values (9)")
                if replaces { try await fixture.execute(fixture.target, schema + rows) }
                var configuration = try fixture.configuration(
                    """
                    {root_location: '\(folder)', location: '{table}', ddl: true,
                     tables: [{name: sale, follow_foreign_keys: true}, 'public.e*', 'public.c*']}
                    """
                )
                configuration.backup.run.s3 = server.options()
                #expect(try await BackupRun(configuration).run().failed.map(\.sentence) == [])
                let glimpses = Mutex<[Glimpse]>([])
                let table = replaces ? "product" : "other"
                try await FaultProxy.withProxy(to: server.endpoint) { request in
                    let glimpse = await glimpse(fixture, request.target, table)
                    glimpses.withLock { $0.append(glimpse) }
                } _: { [configuration] proxy async throws in
                    var configuration = configuration
                    configuration.restore.run.s3 = server.options(endpoint: proxy.endpoint)
                    configuration.restore.run.isDryRun = isDryRun
                    let report = try await RestoreRun(configuration).run()
                    #expect(report.failed.map(\.sentence) == [])
                    #expect(report.finished.count == (isDryRun ? 0 : 3))
                }
                try expectLooks(glimpses.withLock { $0 }, replaces: replaces, isDryRun: isDryRun)
            }
            let count = "select count(*) from pg_class where relname = 'sale'"
            #expect(try await fixture.rows(fixture.target, count) == [replaces || !isDryRun ? "1" : "0"])
        }
    }

    private func glimpse(_ fixture: RunFixture, _ target: String, _ table: String) async -> Glimpse {
        let open = """
            select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                and query not like '%pg_stat_activity%' and (
                    state = 'idle in transaction' or state = 'active' and query like '%copy "%from stdin%'
                )
            """
        let rows = try? await fixture.rows(fixture.target, open)
        // Waits only for who waits for the reply to this request.
        let read = try? await Connection.withConnection(to: fixture.target) { connection in
            try await connection.execute("set lock_timeout = '200ms'")
            return try await connection.query("select * from \(table)").rows.count
        }
        return Glimpse(target: target, isOpen: rows?.isEmpty != true, isLocked: read != 1)
    }

    private func expectLooks(_ glimpses: [Glimpse], replaces: Bool, isDryRun: Bool) throws {
        let looks = glimpses.prefix { !$0.isOpen }
        #expect(looks.allSatisfy { !$0.isLocked }, "\(glimpses)")
        #expect(looks.contains { $0.target.contains("list-type") })
        #expect(looks.contains { $0.target.contains("public.product/sequences/") })
        let loads = glimpses.dropFirst(looks.count)
        #expect(loads.allSatisfy { $0.isOpen && $0.isLocked == replaces }, "\(glimpses)")
        #expect(loads.count == (isDryRun ? 0 : 3), "\(loads)")
        for load in loads {
            #expect(load.target.contains(".csv"))
            #expect(looks.contains { $0.target == load.target }, "\(load)")
        }
    }
}
