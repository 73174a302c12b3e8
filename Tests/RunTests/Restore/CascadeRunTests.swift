import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Restores with truncate: cascade")
struct CascadeRunTests {
    /// Rows of the tables that refer to the one that is restored, and a table that has nothing to do with it.
    private let rows = """
        create table other (id int); insert into other values (9);
        insert into sale values (9, 9); insert into refund values (9);
        """

    private func yaml(_ fixture: RunFixture, _ tables: String) -> String {
        "{root_location: \(fixture.folder), location: '{table}', tables: \(tables)}"
    }

    @Test("Tables that refer to a listed one are emptied and named beforehand; no other table is changed")
    func unlisted() async throws {
        try await RunFixture.withReferences(rows) { fixture async throws in
            let yaml = yaml(fixture, "[{name: product, truncate: cascade}]")
            let warning =
                "'truncate: cascade' on public.product also empties public.sale (which is not loaded), public.refund "
                + "(which is not loaded), which refer to it"
            for isDryRun in [true, false] {
                let events = EventLog()
                let report = try await fixture.restore(yaml, isDryRun: isDryRun, events: events)
                #expect(report.failed.isEmpty)
                #expect(events.warnings == [warning])
                let left = isDryRun ? "1" : "0"
                #expect(try await fixture.rows(fixture.target, "select count(*) from sale") == [left])
                #expect(try await fixture.rows(fixture.target, "select count(*) from refund") == [left])
            }
            #expect(try await fixture.rows(fixture.target, "select * from product") == ["1"])
            #expect(try await fixture.rows(fixture.target, "select * from other") == ["9"])
        }
    }

    @Test("A listed table that is reached only over an unlisted one is emptied first and loaded after, at once")
    func listedBeyond() async throws {
        try await RunFixture.withReferences(rows) { fixture async throws in
            try fixture.write("sale\n\n", to: "public.refund/2024-01-01T00:00:00.csv")
            let tables = "[refund, {name: product, truncate: cascade}]"
            let events = EventLog()
            #expect(try await fixture.restore(yaml(fixture, tables), events: events).finished.count == 2)
            #expect(events.warnings.first?.contains("public.sale (which is not loaded), public.refund, which") == true)
            #expect(try await fixture.rows(fixture.target, "select * from refund") == ["NULL"])
            // A load that fails takes the truncation of all back.
            try await fixture.execute(fixture.target, "insert into sale values (5, 1)")
            try fixture.write("sale\n7\n", to: "public.refund/2024-01-02T00:00:00.csv")
            #expect(try await fixture.restore(yaml(fixture, tables)).failed.count == 2)
            #expect(try await fixture.rows(fixture.target, "select * from sale") == ["5|1"])
        }
    }

    @Test("Partitioned tables are emptied whole, whichever side they stand on")
    func partitions() async throws {
        try await RunFixture.withPartitionedReferences("insert into event values (9, 9);") { fixture async throws in
            let events = EventLog()
            let report = try await fixture.restore(
                yaml(fixture, "[{name: kind, truncate: cascade}]"),
                events: events
            )
            #expect(report.failed.map(\.message) == [])
            #expect(
                events.warnings == [
                    "'truncate: cascade' on public.kind also empties public.event (which is not loaded), which refers to it"
                ]
            )
            #expect(try await fixture.rows(fixture.target, "select * from kind") == ["1"])
            #expect(try await fixture.rows(fixture.target, "select * from event") == [])
        }
    }

    @Test("A privilege that is missing on a table that would be emptied is reported before anything is changed")
    func rights() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.withReferences(
                rows + "grant all on product to \(role); grant select on sale, refund to \(role);"
            ) { fixture async throws in
                let lines = await fixture.connected(as: role)
                    .preflightLines(yaml(fixture, "[{name: product, truncate: cascade}]"))
                let problem = "the role lacks TRUNCATE on the table, which 'truncate: cascade' needs"
                #expect(lines.filter { $0.contains(problem) }.count == 2)
                #expect(try await fixture.rows(fixture.target, "select * from product") == ["9"])
            }
        }
    }

    @Test("What is recorded as restored, and the manifest itself, are never emptied by way of foreign keys")
    func manifest() async throws {
        let recorded = """
            insert into m (transaction, action, "table", file_path) values (1, 'restore', 'public.sale', 'x');
            """
        try await RunFixture.withReferences(rows + ManifestTable("m").definition + recorded) { fixture async throws in
            let yaml = "{manifest: m, " + yaml(fixture, "[{name: product, truncate: cascade}]").dropFirst()
            var configuration = try fixture.configuration(yaml)
            configuration.restore.run.resumeID = 1
            let refused = await #expect(throws: DatabudgieError.self) { try await RestoreRun(configuration).run() }
            let problem = "would empty public.sale, which is already recorded for restore 1"
            #expect(refused?.description.contains(problem) == true)
            try await fixture.execute(fixture.target, "alter table m add product int references product")
            configuration.restore.run.resumeID = nil
            let itself = await #expect(throws: DatabudgieError.self) { try await RestoreRun(configuration).run() }
            #expect(itself?.description.contains("would empty the manifest public.m") == true)
        }
    }
}
