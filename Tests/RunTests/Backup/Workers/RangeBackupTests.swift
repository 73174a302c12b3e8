import Compression
import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Backups of large tables in ranges", .timeLimit(.minutes(10)))
struct RangeBackupTests {
    /// Rows of all sizes, some in TOAST, some gone, with a column that was dropped.
    private static let schema = """
        create table big (gone int, id serial primary key, at timestamptz, v text, wide text) with (autovacuum_enabled = off);
        insert into big (gone, at, v, wide) select i, timestamptz '2026-01-01 00:00+00' + i * interval '1 minute',
            case when i % 7 <> 0 then repeat(md5(i::text), 1 + i % 5) end,
            case when i % 400 = 0 then (select string_agg(md5(i::text || n), '') from generate_series(1, 3000) n) end
            from generate_series(1, 12000) i;
        alter table big drop column gone;
        delete from big where id between 3000 and 8000;
        update big set v = 'updated ' || id where id % 500 = 1;
        create table other (id int, v text); insert into other select i, repeat(md5(i::text), 3) from generate_series(1, 9000) i;
        create table empty (id int);
        create table bloat (id int, v text) with (autovacuum_enabled = off);
        insert into bloat select i, md5(i::text) from generate_series(1, 20000) i; delete from bloat;
        """

    /// As for ranges of 64 KiB: tables of some hundreds are large.
    private static var environment: RunEnvironment {
        var environment = RunEnvironment()
        environment.rangeSize = 64 << 10
        return environment
    }

    private func yaml(_ fixture: RunFixture, jobs: Int, _ more: String = "", tables: String = "['public.*']") -> String
    {
        "{root_location: \(fixture.folder), location: '{table}', filename: 'd.{ext}', jobs: \(jobs), tables: \(tables)\(more)}"
    }

    private func backup(
        _ fixture: RunFixture,
        _ yaml: String,
        _ log: EventLog = EventLog(),
        environment: RunEnvironment = RangeBackupTests.environment
    ) async throws -> RunReport {
        try await BackupRun(fixture.configuration(yaml), environment: environment).run(onEvent: log.append)
    }

    /// The notes about tables that are exported in ranges.
    private func divided(_ log: EventLog) -> [String] {
        log.notes.filter { $0.contains(" ranges, by several connections") }.map { $0.split(separator: ":")[0] }.map(
            String.init
        )
        .sorted()
    }

    /// The content of all data files, decompressed.
    private func contents(_ fixture: RunFixture) async throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for file in try fixture.files() {
            let bytes = try await LocalStorage().read(.local(fixture.folder + "/" + file))
            contents[file] = try await bytes.decompressed().reduce(into: []) { $0 += $1 }
        }
        return contents
    }

    @Test(
        "The file has the same bytes of CSV as that of one connection, and its segments are those of its record",
        arguments: ["null", "gzip", "zstd"]
    )
    func sameBytes(compression: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let format = ", compression: \(compression)"
            let one = try await backup(fixture, yaml(fixture, jobs: 1, format))
            let (expected, record) = (try await contents(fixture), try fixture.record())
            try FileManager.default.removeItem(atPath: fixture.folder)
            let log = EventLog()
            let several = try await backup(fixture, yaml(fixture, jobs: 4, format), log)
            #expect(one.failed.isEmpty && several.failed.isEmpty, "\(several.failed)")
            #expect(divided(log) == ["public.big", "public.bloat", "public.other"])
            let found = try await contents(fixture)
            #expect(found == expected)
            #expect(several.finished.map(\.job) == one.finished.map(\.job))
            #expect(several.finished.map(\.totals.rows) == one.finished.map(\.totals.rows))
            #expect(several.finished.map(\.totals.bytes) == one.finished.map(\.totals.bytes))
            let divided = try fixture.record()
            #expect(divided.status == .complete)
            for (left, right) in zip(divided.tables, record.tables) {
                #expect(left.name == right.name && left.columns == right.columns && left.sequences == right.sequences)
                #expect(left.rows == right.rows && left.bytes == right.bytes)
                let (file, segments) = (try #require(left.file), try #require(left.file?.segments))
                #expect(segments.reduce(0) { $0 + $1.bytes } == file.bytes)
                var offset: Int64 = 0
                for segment in segments {
                    #expect(segment.offset == offset)
                    offset += segment.bytes
                }
            }
            let configuration = try fixture.configuration(yaml(fixture, jobs: 4, format))
            for level in [SetVerification.Level.hashes, .rows] {
                for set in try await Verification(configuration, level: level).runAll() {
                    #expect(!set.hasFindings, "\(set)")
                }
            }
            try await fixture.expectSoundSets(configuration)
        }
    }

    @Test("What was exported in ranges is restored", arguments: ["null", "gzip", "zstd"])
    func restore(compression: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.schema)
            let yaml = yaml(fixture, jobs: 3, ", compression: \(compression), truncate: true")
            #expect(try await backup(fixture, yaml).failed.isEmpty)
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            for table in ["big", "other", "bloat"] {
                let digest = "select count(*), md5(string_agg(t::text, ';' order by t::text)) from \(table) t"
                let expected = try await fixture.rows(fixture.source, digest)
                #expect(try await fixture.rows(fixture.target, digest) == expected)
            }
        }
    }

    @Test("Masked values are the same; a mask that is SQL of the user's is not divided")
    func masks() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table big (id int primary key, email text, name text);
                insert into big select i, 'm' || i || '@secret.example', 'name ' || repeat(md5(i::text), 2)
                    from generate_series(1, 8000) i
                """
            )
            func files(_ jobs: Int, _ columns: String, _ log: EventLog = EventLog()) async throws -> [String: [UInt8]] {
                let masking = ", masking: {key: \(MaskAnswerTests.secret), columns: {\(columns)}}"
                let report = try await backup(fixture, yaml(fixture, jobs: jobs, masking), log)
                #expect(report.failed.isEmpty, "\(report.failed)")
                let contents = try await contents(fixture)
                try FileManager.default.removeItem(atPath: fixture.folder)
                return contents
            }
            let log = EventLog()
            let columns = "'*.email': email, '*.name': {mask: full_name, by: id}"
            let (several, one) = (try await files(4, columns, log), try await files(1, columns))
            #expect(several == one)
            #expect(divided(log) == ["public.big"])
            let own = EventLog()
            let sql = "'*.email': email, '*.name': {sql: 'upper(name)'}"
            let (ownOfSeveral, ownOfOne) = (try await files(4, sql, own), try await files(1, sql))
            #expect(ownOfSeveral == ownOfOne)
            #expect(divided(own) == [])
        }
    }

    @Test("Parents, queries, views, subsets and policies are not divided")
    func undivided() async throws {
        try await RunFixture.with { fixture in
            let rows = "select i, md5(i::text) from generate_series(1, 9000) i"
            try await fixture.execute(
                fixture.source,
                """
                create table parent (id int, v text); create table child () inherits (parent);
                insert into parent \(rows); insert into child \(rows);
                create table root (id int, v text) partition by range (id);
                create table part partition of root for values from (0) to (10000); insert into root \(rows);
                create view odd as select * from parent; create materialized view sums as select * from parent;
                create table guarded (id int, v text); insert into guarded \(rows);
                alter table guarded enable row level security; create policy p on guarded using (id > 10);
                """
            )
            let log = EventLog()
            let tables = """
                [public.child, public.part, public.root, public.odd, public.sums, {query: select * from parent, location: q},
                {name: public.guarded, row_security: true}, {name: public.parent, location: all}]
                """
            let report = try await backup(fixture, yaml(fixture, jobs: 4, tables: tables), log)
            #expect(report.failed.isEmpty, "\(report.failed)")
            // What is read with its children is not; the children are tables of their own.
            #expect(Set(divided(log)).isSubset(of: ["public.child", "public.part", "public.parent"]))
            #expect(divided(log).contains("public.part"))
        }
    }

    @Test("The server reads only the blocks of a range, in their order")
    func plan() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema + "analyze big;")
            let table = ExportQuery.table(QualifiedName(schema: "public", name: "big"), isOnly: false)
            for range in BlockRange.ranges(of: 200, count: 2) {
                let query = try #require(table.sql(of: range))
                try await Connection.withConnection(to: fixture.source) { connection in
                    for (name, value) in JobExport.scanSettings {
                        try await connection.execute("set \(name) = \(value)")
                    }
                    let plan = try await connection.query("explain \(query)").rows.compactMap { $0[0] }
                    #expect(plan.first?.hasPrefix("Tid Range Scan on big") == true, "\(plan)")
                }
            }
        }
    }

    @Test("A row that cannot be read fails the table once, and nothing of it is left", arguments: [false, true])
    func unreadableRow(isStrict: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create type mood as enum ('ok', 'bad');
                create table big (mood mood, v text);
                insert into big (mood, v) select case when i = 3000 then 'bad' else 'ok' end::mood, repeat(md5(i::text), 4)
                    from generate_series(1, 9000) i;
                create table small (id int); insert into small values (1);
                set allow_system_table_mods = on; delete from pg_enum where enumlabel = 'bad'
                """
            )
            let log = EventLog()
            let yaml = yaml(fixture, jobs: 3, isStrict ? ", strict: true" : "")
            let report = try await backup(fixture, yaml, log)
            #expect(divided(log) == ["public.big"])
            let failed = report.failed.map(\.sentence)
            #expect(failed.count == (isStrict ? 2 : 1), "\(failed)")
            #expect(failed.first?.contains("invalid internal value for enum") == true, "\(failed)")
            let ended = log.all.filter {
                if case .failed(let failure) = $0 { failure.job.name == "public.big" } else { false }
            }
            #expect(ended.count == 1)
            #expect(try fixture.files() == (isStrict ? [] : ["public.small/d.csv"]))
            if !isStrict { #expect(try fixture.record().status == .partial) }
            try await fixture.expectSoundSets(try fixture.configuration(yaml))
        }
    }

    @Test("Ranges that wait behind another session's lock are exported by the first connection")
    func waitingLock() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema + "create table u (id int)")
            try await fixture.withGates(2) { gates in
                let log = EventLog()
                let tables = "[\(RunFixture.waiting(at: 1)), \(RunFixture.waiting(at: 2)), public.big, public.u]"
                async let report = backup(fixture, yaml(fixture, jobs: 2, tables: tables), log)
                let members = try await fixture.members(2)
                async let truncation: Void = fixture.execute(fixture.source, "truncate big")
                try await poll("the other session waits") {
                    try await fixture.isWaiting(for: "relation = 'big'::regclass")
                }
                try await gates.open(members[1].gate)
                try await poll("the worker leaves ranges to the leader, and exports the other table") {
                    try log.notes.contains { $0.hasPrefix("public.big: another session waits for a lock on it") }
                        && fixture.files().contains("public.u/d.csv")
                }
                try await gates.open(members[0].gate)
                #expect(try await report.failed.map(\.description) == [])
                #expect(try await report.finished.map(\.totals.rows) == [1, 1, 6999, 0])
                try await truncation
            }
            try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 2)))
        }
    }

    private static let sixtyThousandRows = """
        create table big (id int primary key, v text);
        insert into big select i, repeat(md5(i::text), 30) from generate_series(1, 60000) i
        """

    @Test("A range whose connection is lost is exported again by the first one, and the file is whole")
    func lostWorker() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.sixtyThousandRows)
            let query = """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = '\(fixture.source.keywords["dbname"] ?? "")' and query ~ '(^|; )copy .*ctid' and state = 'active'
                    and backend_start > (select min(backend_start) from pg_stat_activity
                        where datname = '\(fixture.source.keywords["dbname"] ?? "")')
                """
            let log = EventLog()
            async let report = backup(fixture, yaml(fixture, jobs: 3), log)
            try await Connection.withConnection(to: fixture.target) { connection in
                try await poll("a worker is lost") {
                    guard log.warnings.isEmpty else { return true }
                    _ = try await connection.query(query)
                    return false
                }
            }
            #expect(try await report.failed.map(\.description) == [])
            #expect(try await report.finished.map(\.totals.rows) == [60_000])
            #expect(
                log.warnings.allSatisfy { $0.hasSuffix(": exporting it again, over another connection") },
                "\(log.warnings)"
            )
            let content = try fixture.text("public.big/d.csv")
            let expected = "select id from big order by ctid"
            let ids = content.split(separator: "\n").dropFirst().map { String($0.prefix { $0 != "," }) }
            #expect(try await fixture.rows(fixture.source, expected) == ids)
            try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 3)))
        }
    }

    @Test("Cancelling in the middle of ranges leaves nothing behind")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.sixtyThousandRows)
            let run = Task { try await backup(fixture, yaml(fixture, jobs: 3)) }
            try await poll("several ranges are being written") {
                guard FileManager.default.fileExists(atPath: fixture.folder + "/public.big") else { return false }
                return try fixture.files().count { $0.hasSuffix(".partial") } > 1
            }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            #expect(try fixture.files() == [])
            try await fixture.expectSoundSets(try fixture.configuration(yaml(fixture, jobs: 3)))
        }
    }

    @Test("A dry run reads ranges and writes nothing; a run with one connection has none")
    func dryRun() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            var configuration = try fixture.configuration(yaml(fixture, jobs: 4))
            configuration.backup.run.isDryRun = true
            let log = EventLog()
            let report = try await BackupRun(configuration, environment: Self.environment).run(onEvent: log.append)
            #expect(report.failed.isEmpty)
            #expect(divided(log).contains("public.big"))
            #expect(report.finished.first { $0.job.name == "public.big" }?.totals.rows == 6_999)
            #expect(!FileManager.default.fileExists(atPath: fixture.folder + "/public.big"))
            let one = EventLog()
            _ = try await backup(fixture, yaml(fixture, jobs: 1), one)
            #expect(divided(one) == [])
        }
    }

    @Test("The manifest has a divided table once, and a run is resumed by it")
    func resume() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                Self.schema + "create table m (transaction int, action text, \"table\" text, file_path text);"
            )
            let yaml = yaml(fixture, jobs: 4, ", manifest: public.m", tables: "[big, other]")
            #expect(try await backup(fixture, yaml).failed.isEmpty)
            let recorded = "select \"table\" from m where transaction = 1 order by 1"
            #expect(try await fixture.rows(fixture.source, recorded) == ["public.big", "public.other"])
            try await fixture.execute(fixture.source, "delete from m where \"table\" = 'public.big'")
            var configuration = try fixture.configuration(yaml)
            configuration.backup.run.resumeID = 1
            let resumed = try await BackupRun(configuration, environment: Self.environment).run()
            #expect(resumed.finished.map(\.job.name) == ["public.big"])
            #expect(resumed.skipped.count == 1)
        }
    }

    // MARK: S3

    private static let wide = """
        create table big (id int primary key, v text);
        insert into big select i, (select string_agg(md5(i::text || n), '') from generate_series(1, 30) n)
            from generate_series(1, 36000) i;
        """

    @Test(
        "On S3 ranges are parts of one upload, whatever their sizes",
        arguments: ["null", "gzip", "zstd"],
        [Int64(1 << 20), 9 << 20]
    )
    func s3(compression: String, rangeSize: Int64) async throws {
        try await RunFixture.with { fixture in
            try await S3Server.shared.withFolder { folder in
                try await fixture.onBoth(Self.wide + "delete from big where id between 5000 and 20000;")
                var environment = RunEnvironment()
                environment.rangeSize = rangeSize
                environment.variables = try await S3Server.shared.environment
                let yaml = """
                    {root_location: '\(folder)', location: '{table}', compression: \(compression), jobs: 3, truncate: true,
                    tables: [public.big]}
                    """
                let configuration = try fixture.configuration(yaml)
                let log = EventLog()
                let report = try await BackupRun(configuration, environment: environment).run(onEvent: log.append)
                #expect(report.failed.isEmpty, "\(report.failed)")
                #expect(divided(log) == ["public.big"] && log.warnings == [], "\(log.warnings)")
                #expect(try await RestoreRun(configuration, environment: environment).run().failed.isEmpty)
                let digest = "select count(*), md5(string_agg(t::text, ';' order by id)) from big t"
                let expected = try await fixture.rows(fixture.source, digest)
                #expect(try await fixture.rows(fixture.target, digest) == expected)
                for set in try await Verification(configuration, level: .hashes, environment: environment).runAll() {
                    #expect(!set.hasFindings, "\(set)")
                }
                try await fixture.expectSoundSets(configuration, variables: environment.variables)
            }
        }
    }

    @Test("A server that wants equal parts gets the table as one, and a warning says so")
    func refused() async throws {
        let server = try await S3Server.shared
        try await RunFixture.with { fixture in
            try await server.withFolder { folder in
                try await fixture.execute(fixture.source, Self.wide)
                let rule = FaultProxy.Rule(
                    .error(400, "InvalidPart"),
                    method: "POST",
                    target: "uploadId=",
                    count: 1
                )
                try await FaultProxy.withProxy(to: server.endpoint, rules: [rule]) { proxy async throws in
                    var configuration = try fixture.configuration(
                        "{root_location: '\(folder)', location: '{table}', jobs: 3, tables: [public.big]}"
                    )
                    configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                    let log = EventLog()
                    var environment = RunEnvironment()
                    environment.rangeSize = 8 << 20
                    let report = try await BackupRun(configuration, environment: environment).run(onEvent: log.append)
                    #expect(report.failed.isEmpty, "\(report.failed)")
                    #expect(report.finished.map(\.totals.rows) == [36_000])
                    let warning = log.warnings.first ?? ""
                    #expect(log.warnings.count == 1)
                    #expect(warning.hasPrefix("public.big: the storage does not accept it in ranges: "), "\(warning)")
                    #expect(log.all.count { if case .started = $0 { true } else { false } } == 1)
                    configuration.backup.run.s3 = server.options()
                    try await fixture.expectSoundSets(configuration)
                }
            }
        }
    }

    @Test("An upload of ranges is aborted when a part of it fails")
    func failedPart() async throws {
        let server = try await S3Server.shared
        try await RunFixture.with { fixture in
            try await server.withFolder { folder in
                try await fixture.execute(fixture.source, Self.wide)
                let rule = FaultProxy.Rule(.error(403, "AccessDenied"), method: "PUT", target: "partNumber=", skip: 2)
                try await FaultProxy.withProxy(to: server.endpoint, rules: [rule]) { proxy async throws in
                    var configuration = try fixture.configuration(
                        "{root_location: '\(folder)', location: '{table}', jobs: 3, tables: [public.big]}"
                    )
                    configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                    var environment = RunEnvironment()
                    environment.rangeSize = 8 << 20
                    let report = try await BackupRun(configuration, environment: environment).run()
                    #expect(report.failed.map(\.job.name) == ["public.big"])
                    configuration.backup.run.s3 = server.options()
                    try await fixture.expectSoundSets(configuration)
                }
            }
        }
    }
}
