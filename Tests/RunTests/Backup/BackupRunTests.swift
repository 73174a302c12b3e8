import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Backups")
struct BackupRunTests {
    private let shop = """
        create table product (id int primary key, name text);
        create table sale (id int primary key, product_id int references product, store_id int, note text);
        create view totals as select store_id, count(*) as sales from sale group by store_id;
        insert into product select i, 'product ' || i from generate_series(1, 10) i;
        insert into sale select i, 1 + i % 10, i % 5, case i % 3 when 0 then '' when 1 then null else E'a,"b"\\nc' end
            from generate_series(1, 100) i;
        """

    @Test("Tables, a query with a condition and a view go to files as COPY writes them")
    func tablesAndQueries() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            let report = try await fixture.backup(
                """
                root_location: \(fixture.folder)
                location: "{table}"
                filename: data.{ext}
                tables:
                  - product
                  - name: sale
                    query: select * from {table} where store_id = 4;
                  - public.totals
                  - query: select 1 as one, 'x' as "Two"
                    location: unnamed
                """
            )
            #expect(report.failed.isEmpty)
            #expect(report.finished.map(\.totals.rows) == [10, 20, 5, 1])
            #expect(
                try fixture.files() == [
                    "public.product/data.csv", "public.sale/data.csv", "public.totals/data.csv", "unnamed/data.csv",
                ]
            )
            #expect(try fixture.text("unnamed/data.csv") == "one,Two\n1,x\n")
            let sales = try fixture.text("public.sale/data.csv")
            #expect(sales.hasPrefix("id,product_id,store_id,note\n4,5,4,\n9,10,4,\"\"\n14,5,4,\"a,\"\"b\"\"\nc\"\n"))
            let attributes = try FileManager.default.attributesOfItem(atPath: fixture.folder + "/unnamed/data.csv")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("All tables come from one moment")
    func oneSnapshot() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table late (id int); insert into late values (1)")
            try await Connection.withConnection(to: fixture.source) { blocker in
                try await blocker.execute("select pg_advisory_lock(42)")
                async let report = fixture.backup(
                    """
                    root_location: \(fixture.folder)
                    filename: data.csv
                    tables:
                      - query: select pg_advisory_lock(42)::text as lock
                        location: waiting
                      - name: late
                        location: late
                    """
                )
                try await poll("the backup waits") {
                    try await fixture.isWaiting(for: "locktype = 'advisory'")
                }
                try await blocker.execute("insert into late values (2)")
                try await blocker.execute("select pg_advisory_unlock(42)")
                #expect(try await report.failed.isEmpty)
            }
            #expect(try fixture.text("late/data.csv") == "id\n1\n")
        }
    }

    @Test("A failed table leaves no file, its message names it, and the others are exported")
    func failedTable() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            let report = try await fixture.backup(
                """
                root_location: \(fixture.folder)
                filename: data.csv
                compression: gzip
                tables:
                  - {query: "select 1 / (id - 50) as x from sale", location: division}
                  - {query: "select 1 as a, 2 as a", location: names}
                  - {query: "selct 1", location: syntax}
                  - {query: "select 1; select 2", location: two}
                  - {query: "select nextval('s')", location: missing}
                  - {query: "with x as (delete from sale returning id) select * from x", location: writing}
                  - {name: product, location: product}
                """
            )
            #expect(report.finished.map(\.job.description) == ["public.product"])
            #expect(try fixture.files() == ["product/data.csv"])
            let messages = report.failed.map(\.message)
            #expect(messages.count == 6)
            for (message, part) in zip(
                messages,
                [
                    "division by zero", "two columns named \"a\"", "syntax error", "multiple commands",
                    "\"s\" does not", "read-only transaction",
                ]
            ) {
                #expect(message.contains(part))
                #expect(!message.contains("\n"))
            }
            #expect(report.failed.first?.sentence.hasPrefix("\(fixture.folder)/division: ") == true)
            #expect(try await fixture.rows(fixture.source, "select count(*) from sale") == ["100"])
        }
    }

    @Test("A strict run stops at the first failed table")
    func strict() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            let report = try await fixture.backup(
                """
                root_location: \(fixture.folder)
                strict: true
                tables:
                  - {query: "select 1 / 0 as x", location: division}
                  - product
                """
            )
            #expect(report.finished.isEmpty)
            #expect(report.failed.count == 2)
            #expect(try fixture.files().isEmpty)
        }
    }

    @Test("A role without a privilege gets its other tables")
    func privileges() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(fixture.source, shop + "grant select on product to \(role);")
                let report = try await fixture.connected(as: role)
                    .backup("{root_location: \(fixture.folder), tables: ['public.*']}")
                #expect(report.finished.map(\.job.description) == ["public.product"])
                #expect(
                    report.failed.map(\.description) == [
                        "public.sale: permission denied for table sale (SQLSTATE 42501)"
                    ]
                )
            }
        }
    }

    @Test("A table that has a data file is skipped with skip_if_exists, also where the file is local")
    func skipsIfExists() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            let yaml = "{root_location: \(fixture.folder), skip_if_exists: true, tables: [product]}"
            try fixture.write("", to: "backups/public.product/notes.txt")
            #expect(try await fixture.backup(yaml).finished.count == 1)
            let again = try await fixture.backup(yaml)
            #expect(again.finished.isEmpty)
            #expect(again.skipped.map(\.job.description) == ["public.product"])
        }
    }

    @Test("Two runs in one second do not overwrite each other")
    func equalTimestamps() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            let configuration = try fixture.configuration("{root_location: \(fixture.folder), tables: [product]}")
            var environment = RunEnvironment()
            environment.now = Date(timeIntervalSince1970: 1_700_000_000)
            #expect(try await BackupRun(configuration, environment: environment).run().failed.isEmpty)
            let second = try await BackupRun(configuration, environment: environment).run()
            #expect(second.failed.isEmpty)
            #expect(second.finished.map { $0.path?.hasSuffix("/2023-11-14T22:13:21.csv") } == [true])
            #expect(try fixture.files().filter { $0.hasSuffix("2023-11-14T22:13:20.csv") }.count == 1)
        }
    }

    @Test("A dry run runs the queries and writes nothing")
    func dryRun() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            let report = try await fixture.backup(
                "{root_location: \(fixture.folder)/none, tables: [product]}",
                isDryRun: true
            )
            #expect(report.finished.map(\.totals.rows) == [10])
            #expect(report.finished[0].path == nil)
            #expect(report.isDryRun)
            #expect(try fixture.files().isEmpty)
        }
    }

    @Test("Cancelling stops the query at once and leaves nothing behind")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            let log = EventLog()
            let run = Task {
                try await fixture.backup(
                    """
                    root_location: \(fixture.folder)
                    tables:
                      - {query: "select i, pg_sleep(0.01) from generate_series(1, 100000) i", location: slow}
                    """,
                    events: log
                )
            }
            try await poll("the query runs") {
                try await fixture.rows(
                    fixture.target,
                    "select 1 from pg_stat_activity where query ~ '(^|; )copy .*pg_sleep' and state = 'active'"
                        + " and datname = '\(fixture.source.keywords["dbname"] ?? "")'"
                ).isEmpty == false
            }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            #expect(try fixture.files().isEmpty)
        }
    }

    @Test("A connection that is lost half-way ends the run with an error and no file")
    func lostConnection() async throws {
        try await RunFixture.with { fixture in
            let run = Task {
                try await fixture.backup(
                    """
                    root_location: \(fixture.folder)
                    tables:
                      - {query: "select i, pg_sleep(0.01) from generate_series(1, 100000) i", location: slow}
                    """
                )
            }
            let terminate = """
                select pg_terminate_backend(pid) from pg_stat_activity
                where query ~ '(^|; )copy .*pg_sleep' and state = 'active' and datname = '\(fixture.source.keywords["dbname"] ?? "")'
                """
            try await poll("the query runs") { try await fixture.rows(fixture.target, terminate).isEmpty == false }
            await #expect(throws: PostgresError.self) { try await run.value }
            #expect(try fixture.files().isEmpty)
        }
    }

    @Test("A table that stays locked is reported by name")
    func lockTimeout() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            try await Connection.withConnection(to: fixture.source) { blocker in
                try await blocker.execute("begin; lock table product in access exclusive mode")
                let error = await #expect(throws: DatabudgieError.self) {
                    let configuration = try fixture.configuration("tables: [product]")
                    try await fixture.session(configuration, .backup) { session in
                        let attempts = LockAttempts(timeout: .milliseconds(50))
                        let snapshot = ExportSnapshot(session: session, attempts: attempts)
                        try await snapshot.withPlan(
                            { catalog in
                                try BackupPlanner(catalog: catalog, timestamp: RunTimestamp(.now), isStrict: false)
                                    .plan(configuration.backup.tables)
                            },
                            body: { _, _ in }
                        )
                    }
                }
                #expect(error?.description.contains("another session holds a conflicting lock") == true)
                #expect(error?.description.contains("product") == true)
            }
        }
    }

    @Test("A view whose tables are locked by a TRUNCATE is waited for, so that it never looks empty")
    func lockedView() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, shop)
            try await Connection.withConnection(to: fixture.source) { blocker in
                try await blocker.execute("begin; truncate sale")
                async let report = fixture.backup(
                    "{root_location: \(fixture.folder), filename: v.csv, tables: [totals]}"
                )
                try await poll("the backup waits") {
                    try await fixture.isWaiting(for: "relation = 'sale'::regclass")
                }
                try await blocker.execute("rollback")
                #expect(try await report.finished.map(\.totals.rows) == [5])
            }
        }
    }
}
