import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Synchronization
import Testing

@testable import Databudgie

@Suite("Drills: sets that are restored to see whether they can be")
struct DrillTests {
    @Test(
        "A set with everything that a schema can have is restored and compared, and its database is removed",
        arguments: StorageUnderTest.allCases
    )
    func wholeSchema(_ storage: StorageUnderTest) async throws {
        try await DrillFixture.with(storage, DrillFixture.schema) { drill in
            let report = try await drill.backup("['app.*', 'other.*']", "compression: gzip, ddl: true")
            #expect(report.failed.isEmpty)
            let log = VerificationLog()
            let verified = try await drill.tryOut(log)
            #expect(verified.outcome == .ok && !verified.hasFindings, "\(log.findings)")
            #expect(verified.level == .restore && verified.isStored)
            #expect(log.findings.isEmpty)
            #expect(try await drill.databases().isEmpty)
            let listed = try await SetList(drill.configuration(), environment: drill.environment).read()
            #expect(listed.first?.verification?.level == .restore && listed.first?.verification?.status == .ok)
            // The restored tables were reported, after those whose files were read.
            let began = log.all.compactMap {
                if case .began(_, let level, let jobs) = $0 { (level, jobs.count) } else { nil }
            }
            #expect(began.map(\.0) == [.rows, .restore] && began.map(\.1).allSatisfy { $0 == 9 })
        }
    }

    @Test("Rows that violate a constraint are found, and their database is removed")
    func orphan() async throws {
        let sql = """
            create table parent (id int primary key); create table child (id int primary key, parent int references parent);
            insert into parent values (1), (2); insert into child values (10, 1), (11, 2);
            """
        try await DrillFixture.with(.local, sql) { drill in
            let tables = "{public.parent: {}, public.child: {skip_if_exists: true}}"
            _ = try await drill.backup(tables, "ddl: true", day: -1)
            #expect(try await drill.tryOut().outcome == .ok)
            try await drill.run.execute(
                drill.run.source,
                "delete from child where id = 10; delete from parent where id = 1"
            )
            _ = try await drill.backup(tables, "ddl: true")
            let log = VerificationLog()
            let verified = try await drill.tryOut(log)
            #expect(verified.hasFindings && verified.isStored)
            let isFailed = if case .failed = verified.outcome { true } else { false }
            #expect(isFailed, "\(verified.outcome)")
            #expect(log.findings.count == 1, "\(log.findings)")
            let listed = try await SetList(drill.configuration(), environment: drill.environment).read()
            #expect(listed.first?.verification?.status == .failed)
            let finding = try #require(log.findings.first)
            #expect(finding.hasPrefix("public.child: it cannot be restored: "))
            #expect(finding.contains("child_parent_fkey"))
            #expect(try await drill.databases().isEmpty)
            #expect(try await Verification(try drill.configuration(), level: .rows).run(drill.id).outcome == .ok)
        }
    }

    @Test("Rows that are not those of the files, though every file was restored, are found")
    func changedRows() async throws {
        let sql = """
            create table a (id int primary key, t text); insert into a values (1, 'x'), (2, 'y');
            create table b (id int primary key); insert into b values (1), (2);
            create function change() returns int language plpgsql as $$ begin
                if current_database() like 'databudgie\\_drill\\_%' then
                    update public.a set t = 'z' where id = 2; delete from public.b where id = 1;
                end if;
                return 1;
            end $$;
            create materialized view m as select change() as n;
            """
        try await DrillFixture.with(.local, sql) { drill in
            _ = try await drill.backup("['public.*']", "ddl: true")
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).hasFindings)
            #expect(
                log.findings == [
                    "public.a: restored, but rows have other values",
                    "public.b: restored, but the set has 2 rows, the restored database 1",
                ]
            )
        }
    }

    @Test("A set with a damaged file is not restored")
    func damagedFile() async throws {
        try await DrillFixture.with { drill in
            _ = try await drill.backup("[public.a]", "ddl: true")
            let path = try #require(try drill.run.files().first { $0.hasSuffix(".csv") })
            try drill.run.write(drill.run.text(path).replacing("1", with: "2"), to: path)
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).hasFindings)
            #expect(log.findings.count == 1 && log.findings.first?.contains("SHA-256") == true)
            #expect(log.warnings == ["the set \(drill.id) is not restored, because its files are damaged"])
            #expect(try await drill.databases().isEmpty)
        }
    }

    @Test("A set without definitions is restored with the recorded columns, and it is said what was not tested")
    func withoutDefinitions() async throws {
        let sql = """
            create type mood as enum ('sad'); create table a (id serial primary key, m mood not null, c char(4), f float4);
            insert into a (m, c, f) values ('sad', 'x', 0.1), ('sad', null, 'nan');
            """
        try await DrillFixture.with(.local, sql) { drill in
            _ = try await drill.backup("[public.a]")
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).outcome == .ok, "\(log.findings)")
            #expect(log.warnings.contains { $0.contains("no keys or other constraints are tested") })
            #expect(log.warnings.contains { $0.contains("public.a: the column m is restored as text") })
            #expect(try await drill.databases().isEmpty)
        }
    }

    @Test(
        "What a query exports is restored into its table, and tables without definitions next to those that have some"
    )
    func queries() async throws {
        let sql = """
            create table a (id int primary key, at timestamptz, f float4); insert into a values (1, now(), 0.3), (2, null, 0.1);
            create table b (like a including all, note text default 'x'); create table c (id serial primary key, code char(3));
            insert into c (code) values ('x'), (null);
            """
        try await DrillFixture.with(.local, sql) { drill async throws in
            let tables = """
                [public.a, {name: public.c, ddl: false},
                 {name: public.b, query: "select id + 10 as id, at, f::float8 * 3 as f from a"},
                 {query: "select count(*) as n from a", location: count}]
                """
            #expect(try await drill.backup(tables, "ddl: true").failed.isEmpty)
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).outcome == .ok, "\(log.findings)")
            #expect(log.warnings.contains { $0.hasPrefix("1 table of the set has no definitions") }, "\(log.warnings)")
            #expect(log.warnings.contains { $0.hasPrefix("the result of a query without a name belongs to no table") })
        }
    }

    @Test("The source is compared with the restored rows as it is now, and its changes are not damage")
    func againstSource() async throws {
        try await DrillFixture.with(.local, DrillFixture.schema) { drill in
            _ = try await drill.backup("['app.*', 'other.*']", "ddl: true")
            let log = VerificationLog()
            let equal = try await drill.tryOut(log, isAgainstSource: true)
            #expect(equal.outcome == .ok && equal.differences.isEmpty, "\(log.findings)")
            try await drill.run.execute(
                drill.run.source,
                "update app.item set note = 'other' where id = 3; insert into app.part values (50)"
            )
            let different = try await drill.tryOut(log, isAgainstSource: true)
            #expect(different.outcome == .ok && different.hasFindings)
            #expect(
                log.findings == [
                    "app.item: compared with the source: rows have other values",
                    "app.part: compared with the source: the source has 4 rows, the restored set 3",
                ]
            )
            let listed = try await SetList(drill.configuration(), environment: drill.environment).read()
            #expect(listed.first?.verification?.status == .ok)
            #expect(try await drill.databases().isEmpty)
        }
    }

    @Test("A set of another database is not compared with the source")
    func otherDatabase() async throws {
        try await DrillFixture.with { drill in
            _ = try await drill.backup("[public.a]", "ddl: true")
            var configuration = try drill.configuration()
            configuration.backup.run.connection = drill.run.target
            let error = await #expect(throws: DatabudgieError.self) {
                try await Drill(configuration, isAgainstSource: true).run()
            }
            #expect(error?.message.hasPrefix("the set \(drill.id) is of another database: of ") == true)
            #expect(error?.message.contains(drill.run.target.keywords["dbname"] ?? "?") == true)
            #expect(try await drill.databases().isEmpty)
        }
    }

    @Test("A role without CREATEDB is told so before any file is read, and one with it needs nothing else")
    func roles() async throws {
        try await PostgresServer.withRole("LOGIN CREATEDB") { creator in
            try await PostgresServer.withRole { plain in
                try await DrillFixture.with(.local, DrillFixture.schema) { drill in
                    _ = try await drill.backup("['app.*', 'other.*']", "ddl: true")
                    let log = VerificationLog()
                    var server = drill.run.target
                    server.keywords["user"] = plain
                    let error = await #expect(throws: DatabudgieError.self) { try await drill.tryOut(log, on: server) }
                    #expect(error?.message.hasPrefix("the role \(plain) lacks CREATEDB") == true)
                    #expect(log.all.isEmpty)
                    server.keywords["user"] = creator
                    #expect(try await drill.tryOut(log, on: server).outcome == .ok, "\(log.findings)")
                    #expect(try await drill.databases().isEmpty)
                }
            }
        }
    }

    @Test("A role that the set needs and the server lacks is found, and named")
    func missingRole() async throws {
        try await DrillFixture.with { drill in
            try await PostgresServer.withRole { role in
                try await drill.run.execute(drill.run.source, "grant select on a to \(role)")
                _ = try await drill.backup("[public.a]", "ddl: true")
                #expect(try await drill.tryOut().outcome == .ok)
                try await drill.run.execute(drill.run.source, "drop owned by \(role)")
            }
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).hasFindings)
            #expect(
                log.findings.count == 1 && log.findings.first?.contains("does not exist") == true,
                "\(log.findings)"
            )
        }
    }

    @Test("An extension that the server lacks is found, and named")
    func missingExtension() async throws {
        let sql = "create schema s; create extension citext with schema s; create table s.a (id int, c s.citext);"
        try await DrillFixture.with(.local, sql) { drill in
            _ = try await drill.backup("['s.*']", "ddl: true")
            for path in try drill.run.files() where path.hasSuffix(".sql") {
                let text = try drill.run.text(path)
                let changed = text.replacing("citext", with: "nothing").replacing("vector", with: "nothing")
                if changed != text { try await drill.replace(path, changed) }
            }
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).hasFindings)
            #expect(log.findings.contains { $0.contains("extension \"nothing\" is not available") }, "\(log.findings)")
            #expect(try await drill.databases().isEmpty)
        }
    }

    @Test(
        "Rows of foreign tables are not written to the database that they are in",
        .enabled("needs contrib") { try await ServerBuild.shared.extensions.contains("postgres_fdw") }
    )
    func foreignTables() async throws {
        try await DrillFixture.with { drill in
            let remote = drill.run.target.keywords
            try await drill.run.execute(drill.run.target, "create table r (id int); insert into r values (150), (160)")
            try await drill.run.execute(
                drill.run.source,
                """
                create extension postgres_fdw; create server remote foreign data wrapper postgres_fdw options (
                    dbname '\(remote["dbname"] ?? "")', host '\(remote["host"] ?? "")', port '\(remote["port"] ?? "")');
                create user mapping for current_user server remote options (user '\(remote["user"] ?? "")');
                create foreign table r (id int) server remote;
                create table p (id int) partition by range (id); create table p1 partition of p for values from (0) to (100);
                create foreign table p2 partition of p for values from (100) to (200) server remote options (table_name 'r');
                insert into p values (1)
                """
            )
            #expect(try await drill.backup("[public.a, public.p, public.r]", "ddl: true").failed.isEmpty)
            let log = VerificationLog()
            #expect(try await drill.tryOut(log).outcome == .ok, "\(log.findings)")
            let told = "its rows are in another database, so it is restored without any"
            #expect(log.warnings.contains("public.r: \(told)") && log.warnings.contains("public.p: \(told)"))
            #expect(try await drill.run.rows(drill.run.target, "select count(*) from r") == ["2"])
        }
    }

    @Test("A drill that is cancelled leaves no database, whenever it is", arguments: [0, 1, 2])
    func cancellation(_ moment: Int) async throws {
        try await DrillFixture.with { drill in
            _ = try await drill.backup("[public.a, public.b]", "ddl: true")
            let running = Mutex<Task<VerifiedSet, any Error>?>(nil)
            let count = Mutex(0)
            let task = Task {
                // The task is known once it may be cancelled.
                while running.withLock({ $0 == nil }) { await Task.yield() }
                return try await Drill(try drill.configuration(), environment: drill.environment).run { event in
                    let isDue =
                        switch (event, moment) {
                        case (.began(_, .restore, _), 0), (.progress(.runningDefinitions), 1): true
                        case (.progress(.finished), 2):
                            count.withLock {
                                $0 += 1; return $0 == 4
                            }
                        default: false
                        }
                    if isDue { running.withLock { $0 }?.cancel() }
                }
            }
            running.withLock { $0 = task }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await drill.databases().isEmpty)
            let path = "catalog/\(drill.id).verified.json"
            #expect(!FileManager.default.fileExists(atPath: "\(drill.run.folder)/\(path)"))
        }
    }

    @Test("The restore's own options have no effect, and a dry run creates nothing")
    func options() async throws {
        try await DrillFixture.with { drill in
            _ = try await drill.backup("[public.a]", "ddl: true")
            try await drill.run.execute(drill.run.target, "create table a (id text); insert into a values ('kept')")
            var configuration = try drill.configuration()
            configuration.restore.run.manifest = "public.databudgie_manifest"
            configuration.restore.run.definitions.role = "nobody"
            configuration.restore.run.definitions.recreatesDatabase = true
            configuration.restore.run.isStrict = true
            configuration.restore.tables = [
                RestoreEntry(options: TableOptions(name: "public.nothing"), truncate: .truncate)
            ]
            let log = VerificationLog()
            #expect(try await Drill(configuration).run(onEvent: log.append).outcome == .ok, "\(log.findings)")
            #expect(try await drill.run.rows(drill.run.target, "select * from a") == ["kept"])
            configuration.backup.run.isDryRun = true
            let dry = try await Drill(configuration).run(onEvent: log.append)
            #expect(dry.level == .rows && !dry.isStored)
            #expect(log.warnings.contains { $0.contains("is not restored in a dry run") })
            #expect(try await drill.databases().isEmpty)
        }
    }

    @Test("A database of another encoding is restored into one of the same")
    func encoding() async throws {
        try await PostgresServer.withDatabase(encoding: "LATIN1") { source in
            try await DrillFixture.with { drill in
                var run = drill.run
                try await run.execute(source, "create table l (t text); insert into l values (U&'\\00e9')")
                run = RunFixture(source: source, target: run.target, folder: run.folder)
                var latin = drill
                latin.run = run
                _ = try await latin.backup("[public.l]", "ddl: true")
                let log = VerificationLog()
                #expect(try await latin.tryOut(log).outcome == .ok, "\(log.findings)")
                #expect(log.messages(.note).contains { $0.contains("the encoding LATIN1") })
            }
        }
    }
}

/// A source, a server for drills, and the sets of a day of its own, so that databases of other tests are told apart.
struct DrillFixture: Sendable {
    static let schema = """
        create schema app; create schema other; create type app.mood as enum ('sad', 'glad');
        create domain other.positive as int check (value > 0);
        create function app.double(i int) returns int immutable language sql as 'select i * 2';
        create table app.item (id int primary key, code char(5) default 'none', price numeric(10, 2), ratio float8, f4 real,
            at timestamptz, span interval, mood app.mood, raw bytea, tags text[], doc jsonb, note text unique,
            twice int generated always as (app.double(id)) stored, size other.positive, check (price >= 0));
        insert into app.item (id, code, price, ratio, f4, at, span, mood, raw, tags, doc, note, size)
            select i, 'c' || i, i / 3.0, i / 7.0, 'nan', timestamptz '2026-01-01 00:00Z' + i * interval '1 h', i * interval '1 h',
                'glad', decode(md5(i::text), 'hex'), array['a', null, 'b,"c'], '{"a": 1}',
                case i when 1 then null when 2 then '' else E'\\\\.\\n' || i end, i from generate_series(1, 500) i;
        create table other.sale (id int generated always as identity primary key, item int references app.item, word text);
        insert into other.sale (item, word) select i, 'w' from generate_series(1, 100) i;
        create table app.serial (id serial primary key, word text); insert into app.serial (word) values ('x'), ('x');
        alter sequence app.serial_id_seq restart with 77;
        create table app.part (id int) partition by range (id);
        create table app.part_1 partition of app.part for values from (0) to (100);
        insert into app.part values (1), (2), (2);
        create table app.up (id int primary key, down int); create table app.down (id int primary key, up int references app.up);
        alter table app.up add foreign key (down) references app.down deferrable;
        insert into app.up values (1, null); insert into app.down values (1, 1); update app.up set down = 1;
        create table app.base (id int); create table app.heir (extra text) inherits (app.base);
        insert into app.base values (1); insert into app.heir values (2, 'x');
        create table app.none (); insert into app.none select from generate_series(1, 3);
        create view app.seen as select id, note from app.item; create materialized view app.kept as select count(*) from app.item;
        create index on app.item (lower(note)); create index on other.sale (item) where word = 'w';
        create function app.change() returns trigger language plpgsql as
            $$ begin new.note := 'changed'; return new; end $$;
        create trigger change before insert on app.item for each row execute function app.change();
        alter table app.serial enable row level security; create policy few on app.serial using (id > 1);
        """

    var run: RunFixture
    /// Where the files are, local or in S3.
    let folder: String
    let environment: RunEnvironment
    /// The id of the set.
    let id: String

    static func with(
        _ storage: StorageUnderTest = .local,
        _ sql: String = "create table a (id int); insert into a values (1); create table b (id int primary key);",
        _ body: (DrillFixture) async throws -> Void
    ) async throws {
        try await storage.withStorage { _, folder in
            try await RunFixture.with { run in
                try await run.execute(run.source, sql)
                let variables = storage == .s3 ? try await S3Server.shared.environment : [:]
                // No other test has the same second.
                let now = Date(timeIntervalSince1970: Double(Int.random(in: 1_000_000..<2_000_000_000)))
                let run =
                    storage == .local ? RunFixture(source: run.source, target: run.target, folder: "\(folder)") : run
                try await body(
                    DrillFixture(
                        run: run,
                        folder: "\(folder)",
                        environment: RunEnvironment(variables: variables, now: now),
                        id: RunTimestamp(now).timestamp
                    )
                )
            }
        }
    }

    private let configured = Configured()

    /// The configuration of the last backup.
    func configuration() throws -> Configuration { try run.configuration(configured.yaml) }

    /// Backs the source up, some days later.
    func backup(_ tables: String, _ more: String = "", day: Int = 0) async throws -> RunReport {
        configured.yaml =
            "{root_location: '\(folder)', location: '{table}', tables: \(tables)" + (more.isEmpty ? "}" : ", \(more)}")
        var environment = environment
        environment.now += Double(day) * 86_400
        return try await BackupRun(try configuration(), environment: environment).run()
    }

    /// Restores the set and compares it.
    func tryOut(
        _ log: VerificationLog = VerificationLog(),
        on server: ConnectionParameters? = nil,
        isAgainstSource: Bool = false
    ) async throws -> VerifiedSet {
        try await Drill(
            try configuration(),
            on: server,
            isAgainstSource: isAgainstSource,
            environment: environment
        ).run(onEvent: log.append)
    }

    /// The databases of drills of this fixture's set that are there.
    func databases() async throws -> [String] {
        let id = id.lowercased().filter { $0 != "-" && $0 != ":" }
        return try await run.rows(
            run.target,
            "select datname from pg_database where datname like 'databudgie\\_drill\\_\(id)%'"
        )
    }

    /// Replaces a file of definitions, and its hash in the record.
    func replace(_ path: String, _ text: String) async throws {
        let catalog = SetCatalog(
            folder: StoragePath.local("\(run.folder)/catalog"),
            storages: StorageRouter(local: LocalStorage(), s3: LocalStorage())
        )
        var record = try await catalog.record(id)
        let index = try #require(record.definitions.firstIndex { $0.path.hasSuffix(path) || path.hasSuffix($0.path) })
        record.definitions[index].bytes = Int64(text.utf8.count)
        record.definitions[index].sha256 = nil
        try run.write(text, to: path)
        try run.write(String(decoding: try record.json(), as: UTF8.self), to: "catalog/\(id).json")
    }

    private final class Configured: Sendable {
        private let text = Mutex("")

        var yaml: String {
            get { text.withLock { $0 } }
            set { text.withLock { $0 = newValue } }
        }
    }
}
