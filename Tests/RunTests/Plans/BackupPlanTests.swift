import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Plans of backups")
struct BackupPlanTests {
    private let schema = """
        create table maker (id int primary key);
        create table product (id serial primary key, maker_id int references maker);
        create table sale (id int primary key, product_id int references product);
        create table log_a (id int); create table log_b (id int);
        insert into maker values (1), (2); insert into product (maker_id) values (1);
        create table measure (day date) partition by range (day);
        create table measure_1 partition of measure for values from ('2026-01-01') to ('2026-02-01');
        insert into measure values ('2026-01-03'), ('2026-01-04'), ('2026-01-05');
        analyze maker, product, measure_1;
        """

    private let moment = RunEnvironment(now: Date(timeIntervalSince1970: 1_767_236_400))

    private func plan(
        _ fixture: RunFixture,
        _ yaml: String,
        events: EventLog = EventLog()
    ) async throws -> RunPlan {
        try await BackupRun(try fixture.configuration(yaml), environment: moment).plan(onEvent: events.append)
    }

    /// All that a backup could change in its source.
    private func state(_ fixture: RunFixture) async throws -> [String] {
        let rows = """
            select relname, oid::text || ' ' || relfilenode from pg_class where relnamespace = 'public'::regnamespace
            union all select 'm', m::text from m union all select 'id', (last_value, is_called)::text from m_id_seq
            order by 1, 2
            """
        return try await fixture.rows(fixture.source, rows)
    }

    @Test("The tables, their order and their files are those of the backup that follows, and nothing is written before")
    func equalsBackup() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema + ManifestTable("m").definition)
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', manifest: m, ddl: true, compression: gzip,
                exclude: [log_*], tables: [sale, "public.*"]}
                """
            // One table, one entry.
            let configuration = yaml.replacing("[sale, ", with: "[")
            let before = try await state(fixture)
            let plan = try await plan(fixture, configuration)
            #expect(plan.isWithoutProblems)
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder) == [])
            #expect(try await state(fixture) == before)
            let report = try await BackupRun(try fixture.configuration(configuration), environment: moment).run()
            #expect(report.failed.isEmpty && report.set == plan.set?.id)
            #expect(plan.tables.map(\.job) == report.finished.map(\.job))
            #expect(plan.tables.map(\.file) == report.finished.map(\.path))
            #expect(plan.tables.map { $0.sequencesFile } == report.finished.map { $0.sequencesFile?.path.description })
            #expect(plan.definitions.map(\.table).sorted() == report.definitions.sorted())
            let files = try fixture.files()
            for definition in plan.definitions {
                let file = try #require(definition.file)
                #expect(files.contains(String(file.dropFirst(fixture.folder.count + 1))), "\(file)")
            }
            let folder = try #require(plan.set?.catalog)
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(report.set ?? "").json"))
        }
    }

    @Test("Each table has its reason, its estimates, what comes before it and its locks; exclusions are named")
    func reasons() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', exclude: ["public.log_*"],
                tables: [{name: sale, follow_foreign_keys: true}, "me*", "log_*", {name: report, location: r,
                query: "select count(*) as n from product"}]}
                """
            let plan = try await plan(fixture, yaml)
            #expect(
                plan.tables.map { "\($0.job): \($0.reason)" } == [
                    "public.maker: public.product.maker_id refers to it (follow_foreign_keys)",
                    "public.product: public.sale.product_id refers to it (follow_foreign_keys)",
                    "public.sale: exact name", "public.measure: glob public.me*", "report: query 'report'",
                ]
            )
            let names = plan.tables.map(\.job.name)
            #expect(plan.tables.map(\.rows) == [2, 1, nil, 3, nil])
            #expect(plan.tables.map { $0.bytes.map { $0 > 0 } } == [true, true, false, true, nil], "\(names)")
            #expect(plan.tables.last?.query == "select count(*) as n from product")
            #expect(plan.tables[1].sequences == ["public.product_id_seq"])
            #expect(
                plan.foreignKeys.map { "\($0.job) \($0.key.columns) \($0.referenced)" } == [
                    "public.product [\"maker_id\"] public.maker", "public.sale [\"product_id\"] public.product",
                ]
            )
            #expect(
                plan.excluded.map { "\($0.table): \($0.reason)" } == [
                    "public.log_a: exclude 'public.log_*'", "public.log_b: exclude 'public.log_*'",
                    "public.measure_1: its rows are those of the partitioned table public.measure",
                ]
            )
            #expect(
                plan.locks.map { "\($0.table) \($0.mode)" } == [
                    "public.maker ACCESS SHARE", "public.measure ACCESS SHARE", "public.measure_1 ACCESS SHARE",
                    "public.product ACCESS SHARE", "public.sale ACCESS SHARE",
                ]
            )
        }
    }

    @Test("What would fail is found without reading rows, as the backup reports it; what exists already is skipped")
    func failures() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.source,
                    schema + """
                        create table hidden (id int); create table partly (a int, b int); create table mine (id serial);
                        alter table log_a enable row level security; create policy p on log_a using (true);
                        grant select on maker, log_a, mine to \(role); grant select (a, b) on partly to \(role);
                        """
                )
                try fixture.write("id\n", to: "public.maker/2020-01-01T00:00:00.csv")
                let yaml = """
                    {root_location: \(fixture.folder), location: '{table}', tables: [{name: maker, skip_if_exists: true},
                    hidden, partly, log_a, mine, {name: sale, query: "select nothing from {table}"}]}
                    """
                let other = fixture.connected(as: role)
                let events = EventLog()
                let plan = try await plan(other, yaml, events: events)
                let report = try await BackupRun(try other.configuration(yaml), environment: moment).run()
                #expect(!plan.isWithoutProblems)
                #expect(Set(plan.failures.map(\.job)) == Set(report.failed.map(\.job)))
                #expect(plan.skipped.map(\.reason) == report.skipped.map(\.reason) && plan.skipped.count == 1)
                let messages = plan.failures.map { "\($0.job): \($0.message)" }
                #expect(messages.contains("public.hidden: the role lacks SELECT on the table, or USAGE on its schema"))
                #expect(messages.contains("public.log_a: row-level security applies to the role, and would hide rows"))
                #expect(messages.contains { $0.hasPrefix("public.mine: the role lacks SELECT on the sequence") })
                #expect(messages.contains { $0.hasPrefix("public.sale: ") && $0.contains("nothing") })
                #expect(messages.count == 4, "\(messages)")
                #expect(
                    try fixture.files() == [
                        "public.maker/2020-01-01T00:00:00.csv", "public.partly/2026-01-01T03:00:00.csv",
                    ]
                )
            }
        }
    }

    @Test("A plan that cannot be made is refused like the backup")
    func refused() async throws {
        try await RunFixture.with { fixture in
            let yaml = fixture.yaml("[nothing]")
            let planned = await #expect(throws: DatabudgieError.self) { try await plan(fixture, yaml) }
            let run = await #expect(throws: DatabudgieError.self) { try await fixture.backup(yaml) }
            #expect(planned?.code == .nothingToDo && planned?.problems == run?.problems)
        }
    }
}
