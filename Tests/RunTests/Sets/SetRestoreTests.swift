import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

/// Backups of several days, and restores from their sets.
struct SetFixture: Sendable {
    let run: RunFixture
    /// Where the files are, local or in S3.
    let folder: String
    let storage: any Storage
    let variables: [String: String]

    static func with(
        _ kind: StorageUnderTest = .local,
        _ sql: String = "create table a (id int); create table b (id int);",
        _ body: (SetFixture) async throws -> Void
    ) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { run in
                try await run.onBoth(sql)
                let variables = kind == .s3 ? try await S3Server.shared.environment : [:]
                try await body(
                    SetFixture(run: run, folder: "\(folder)", storage: storage, variables: variables)
                )
            }
        }
    }

    /// The id of the set of a day.
    static func id(_ day: Int) -> String { "2026-01-0\(day)T03:00:00" }

    private func environment(_ day: Int) -> RunEnvironment {
        // 2026-01-01T03:00:00 is the first day.
        let moment = Date(timeIntervalSince1970: 1_767_236_400 + Double(day - 1) * 86_400)
        return RunEnvironment(variables: variables, now: moment)
    }

    func yaml(_ tables: String, _ more: String = "") -> String {
        "{root_location: '\(folder)', location: '{table}', truncate: true, tables: \(tables)"
            + (more.isEmpty ? "}" : ", \(more)}")
    }

    /// Backs up on a day; what fails is left to the caller.
    @discardableResult
    func backup(_ day: Int, _ tables: String, _ more: String = "") async throws -> RunReport {
        let configuration = try run.configuration(yaml(tables, more))
        let report = try await BackupRun(configuration, environment: environment(day)).run()
        try #require(report.set == Self.id(day))
        return report
    }

    /// Sets the rows of tables, and backs them up.
    func backup(_ day: Int, _ tables: String, _ more: String = "", rows value: Int) async throws {
        for table in ["a", "b"] {
            try await run.execute(run.source, "delete from \(table); insert into \(table) values (\(value))")
        }
        try #require(try await backup(day, tables, more).failed.isEmpty)
    }

    func restore(
        _ tables: String,
        _ more: String = "",
        set: SetSelection = .newest,
        resuming id: Int? = nil,
        on day: Int = 9,
        events: EventLog = EventLog()
    ) async throws -> RunReport {
        var configuration = try run.configuration(yaml(tables, more))
        configuration.restore.set = set
        configuration.restore.run.resumeID = id
        return try await RestoreRun(configuration, environment: environment(day)).run(onEvent: events.append)
    }

    /// What a restore that changes nothing says.
    func refusal(
        _ tables: String,
        _ more: String = "",
        set: SetSelection = .newest,
        code: DatabudgieError.Code = .preflight
    ) async -> String {
        let error = await #expect(throws: DatabudgieError.self) { try await restore(tables, more, set: set) }
        #expect(error?.code == code && error?.effect == .nothingChanged)
        return error?.problems.map(\.sentence).joined(separator: "\n") ?? ""
    }

    /// The rows of the target's tables, as `a|b`.
    func loaded() async throws -> String? {
        try await run.rows(
            run.target,
            "select (select string_agg(id::text, ',' order by id) from a), (select string_agg(id::text, ',' order by id) from b)"
        ).first
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Puts another file in the place of one.
    func replace(_ name: String, by change: (inout [UInt8]) throws -> Void) async throws -> StoragePath {
        let path = try StoragePath(path(name))
        var bytes = try await storage.read(path, range: nil).collect(upTo: 100 << 20)
        try change(&bytes)
        _ = try await storage.write(path, ifExists: .replace, from: SingleChunk(bytes))
        return path
    }
}

extension EventLog {
    /// The set that a restore has named.
    var restored: [RestoredSet] {
        all.compactMap { if case .restoring(let set) = $0 { set } else { nil } }
    }
}

@Suite("A restore reads one set")
struct SetRestoreTests {
    @Test("A set that its last verification has found damaged is skipped until it is whole again")
    func damaged() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "['public.*']", rows: 1)
            try await fixture.backup(2, "['public.*']", rows: 2)
            let file = URL(filePath: fixture.path("public.a/\(SetFixture.id(2)).csv"))
            let whole = try Data(contentsOf: file)
            let configuration = try fixture.run.configuration(fixture.yaml("['public.*']"))
            func verify() async throws {
                let environment = RunEnvironment(variables: fixture.variables)
                _ = try await Verification(configuration, environment: environment).run()
            }
            try Data("id\n3\n".utf8).write(to: file)
            try await verify()
            var events = EventLog()
            _ = try await fixture.restore("['public.*']", events: events)
            #expect(events.restored.map(\.id) == [SetFixture.id(1)])
            #expect(try await fixture.loaded() == "1|1")
            let skipped =
                "the set \(SetFixture.id(2)) is damaged, as its last verification has found; restoring from the set"
            #expect(events.warnings.filter { $0.hasPrefix(skipped) }.count == 1, "\(events.warnings)")
            // Asked for by its id it is read; what is damaged is not loaded.
            let asked = try await fixture.restore("['public.*']", set: .id(SetFixture.id(2)))
            #expect(asked.failed.map(\.job.name) == ["public.a"])
            #expect(try await fixture.loaded() == "1|2")
            try whole.write(to: file)
            try await verify()
            events = EventLog()
            _ = try await fixture.restore("['public.*']", events: events)
            #expect(events.restored.map(\.id) == [SetFixture.id(2)] && events.warnings.isEmpty)
            #expect(try await fixture.loaded() == "2|2")
        }
    }

    @Test("The newest backup of fewer tables is skipped, and the set is named", arguments: StorageUnderTest.allCases)
    func fewerTables(_ kind: StorageUnderTest) async throws {
        try await SetFixture.with(kind) { fixture in
            try await fixture.backup(1, "['public.*']", rows: 1)
            try await fixture.backup(2, "[a]", "catalog: catalog", rows: 2)
            let events = EventLog()
            let report = try await fixture.restore("['public.*']", events: events)
            #expect(report.failed.isEmpty && report.set == SetFixture.id(1))
            #expect(try await fixture.loaded() == "1|1")
            #expect(events.restored == [RestoredSet(id: SetFixture.id(1), age: .seconds(8 * 86_400), tables: 2)])
            #expect(
                events.warnings == [
                    "the set \(SetFixture.id(2)) lacks public.b; restoring from the set \(SetFixture.id(1)); "
                        + "choose another set by --set"
                ]
            )
            // What it has is restored from it.
            let one = EventLog()
            #expect(try await fixture.restore("[a]", "catalog: catalog", events: one).set == SetFixture.id(2))
            #expect(try await fixture.loaded() == "2|1")
            #expect(one.warnings == [])
            // Exact names likewise.
            #expect(try await fixture.restore("[a, b]").set == SetFixture.id(1))
        }
    }

    @Test("A partial set is skipped, and restored when it is asked for")
    func partial() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "[a, b]", rows: 1)
            try await fixture.run.execute(fixture.run.source, "update a set id = 2")
            let report = try await fixture.backup(2, "[a, {name: b, query: 'select 1 / 0 as id from {table}'}]")
            #expect(report.failed.count == 1)
            let events = EventLog()
            #expect(try await fixture.restore("[a]", "catalog: catalog", events: events).set == SetFixture.id(1))
            #expect(
                events.warnings.first?.hasPrefix("the set \(SetFixture.id(2)) is partial: public.b failed; ") == true
            )
            let demanded = try await fixture.restore("[a]", "catalog: catalog", set: .id("2026-01-02"))
            #expect(demanded.set == SetFixture.id(2))
            #expect(try await fixture.loaded() == "2|NULL")
            #expect(
                await fixture.refusal("[a, b]", set: .id("2026-01-02")) == "the set \(SetFixture.id(2)) lacks public.b"
            )
            #expect(try await fixture.restore("[a, b]", set: .id("latest")).set == SetFixture.id(1))
        }
    }

    @Test("A set whose files were replaced is never restored")
    func superseded() async throws {
        try await SetFixture.with { fixture in
            for day in [1, 2] { try await fixture.backup(day, "[a, b]", "filename: data.csv", rows: day) }
            #expect(try await fixture.restore("[a, b]", "filename: data.csv").set == SetFixture.id(2))
            let refusal = await fixture.refusal("[a, b]", "filename: data.csv", set: .id("2026-01-01"))
            #expect(
                refusal
                    == "the set \(SetFixture.id(1)) is not whole any more: the set \(SetFixture.id(2)) has replaced files "
                    + "of it"
            )
        }
    }

    @Test("A set is chosen by its id, by how it begins, and by a time", arguments: StorageUnderTest.allCases)
    func chosen(_ kind: StorageUnderTest) async throws {
        try await SetFixture.with(kind) { fixture in
            for day in 1...3 { try await fixture.backup(day, "['public.*']", rows: day) }
            func restored(_ set: SetSelection) async throws -> String? {
                let report = try await fixture.restore("['public.*']", set: set)
                #expect(report.failed.isEmpty)
                return try await fixture.loaded()
            }
            func time(_ text: String) throws -> SetSelection { .asOf(try #require(SetSelection.moment(text))) }
            #expect(try await restored(.newest) == "3|3")
            #expect(try await restored(.id(SetFixture.id(1))) == "1|1")
            #expect(try await restored(.id("2026-01-02T")) == "2|2")
            #expect(try await restored(.id("latest")) == "3|3")
            #expect(try await restored(time("2026-01-02")) == "2|2")
            #expect(try await restored(time("2026-01-02T03:00:00")) == "2|2")
            #expect(try await restored(time("2026-01-02T02:59:59")) == "1|1")
            #expect(try await restored(time("2026-01-02T04:30+01:00")) == "2|2")
            let ids = "\(SetFixture.id(3)), \(SetFixture.id(2)), \(SetFixture.id(1))"
            #expect(
                await fixture.refusal("[a]", "catalog: catalog", set: .id("2026-01-0"), code: .configuration)
                    == "3 sets begin with '2026-01-0': \(ids)"
            )
            #expect(
                await fixture.refusal("[a]", "catalog: catalog", set: .id("2025"), code: .configuration)
                    == "there is no set '2025' in \(fixture.path("catalog"))"
            )
            let early = await fixture.refusal(
                "[a]",
                "catalog: catalog",
                set: try time("2025-12-31"),
                code: .configuration
            )
            #expect(early.hasPrefix("there is no set of 2025-12-31T23:59:59 or before in "))
        }
    }

    @Test("A table that did not exist is not missing, one that was not asked for is")
    func laterTables() async throws {
        try await SetFixture.with(.local, "create table a (id int)") { fixture in
            try await fixture.backup(1, "['public.?']")
            try await fixture.backup(2, "[a]", "catalog: catalog")
            try await fixture.run.onBoth("create table b (id int)")
            try await fixture.backup(3, "[a, b]")
            #expect(try await fixture.restore("['public.*']").set == SetFixture.id(3))
            let moment = try #require(SetSelection.moment("2026-01-02"))
            let events = EventLog()
            let report = try await fixture.restore("['public.*']", set: .asOf(moment), events: events)
            #expect(report.set == SetFixture.id(1))
            #expect(report.skipped.map(\.reason) == ["the set \(SetFixture.id(1)) has no data file of it"])
            #expect(events.warnings.first?.hasPrefix("the set \(SetFixture.id(2)) lacks public.b; ") == true)
        }
    }

    @Test("A table that only the target has is skipped for a glob, and refused by name")
    func targetOnly() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "['public.*']", rows: 1)
            try await fixture.run.execute(fixture.run.target, "create table c (id int); insert into c values (7)")
            let report = try await fixture.restore("['public.*']")
            #expect(report.failed.isEmpty && report.skipped.map(\.job.name) == ["public.c"])
            let refusal = await fixture.refusal("[a, c]")
            #expect(
                refusal == "no set in \(fixture.path("catalog")) has everything that is asked for: the set "
                    + "\(SetFixture.id(1)) lacks public.c"
            )
            #expect(try await fixture.run.rows(fixture.run.target, "select id from c") == ["7"])
        }
    }

    @Test("An entry with another strategy reads the newest file of its table, and the others the set")
    func mixedStrategies() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "[a, b]", rows: 1)
            try await fixture.backup(2, "[b]", "catalog: catalog", rows: 2)
            let events = EventLog()
            let report = try await fixture.restore("[a, {name: b, strategy: use_latest_filename}]", events: events)
            #expect(report.set == SetFixture.id(1) && report.failed.isEmpty)
            #expect(try await fixture.loaded() == "1|2")
            #expect(events.warnings.contains { $0.hasPrefix("the files are of different backups") })
            // Without an entry that reads a set, none is named.
            let names = EventLog()
            let byName = try await fixture.restore("[a, b]", "strategy: use_latest_filename", events: names)
            #expect(byName.set == nil && names.restored == [])
            #expect(try await fixture.loaded() == "1|2")
        }
    }

    @Test("Without sets the newest file of each table is read, unless a set is asked for")
    func noSets() async throws {
        try await SetFixture.with { fixture in
            for table in ["a", "b"] {
                for day in [1, 2] {
                    try FileManager.default.createDirectory(
                        atPath: fixture.path("public.\(table)"),
                        withIntermediateDirectories: true
                    )
                    try Data("id\n\(day)\n".utf8).write(
                        to: URL(filePath: fixture.path("public.\(table)/\(SetFixture.id(day)).csv"))
                    )
                }
            }
            let report = try await fixture.restore("['public.*']")
            #expect(report.set == nil && report.failed.isEmpty)
            #expect(try await fixture.loaded() == "2|2")
            let none = "there is no set in \(fixture.path("catalog"))"
            #expect(
                await fixture.refusal("['public.*']", set: .id("latest"), code: .configuration)
                    == "--set names a set, but \(none)"
            )
            let asked = await fixture.refusal("[a, {name: b, strategy: use_latest_set}]")
            #expect(asked.hasSuffix(": 'strategy: use_latest_set' needs a set, but \(none)"))
        }
    }

    @Test("Files of older versions beside sets are read when an entry asks for them")
    func besideSets() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "[a]", "catalog: catalog", rows: 1)
            let file = fixture.path("public.b/2025-01-01T00:00:00.csv")
            try FileManager.default.createDirectory(atPath: fixture.path("public.b"), withIntermediateDirectories: true)
            try Data("id\n5\n".utf8).write(to: URL(filePath: file))
            let glob = try await fixture.restore("['public.*']")
            #expect(glob.set == SetFixture.id(1) && glob.skipped.map(\.job.name) == ["public.b"])
            let report = try await fixture.restore("[a, {name: b, strategy: use_latest_filename}]")
            #expect(report.failed.isEmpty)
            #expect(try await fixture.loaded() == "1|5")
        }
    }

    @Test("A record that is damaged is refused, one of a later version is skipped")
    func unreadableRecords() async throws {
        try await SetFixture.with { fixture in
            try await fixture.backup(1, "[a, b]", rows: 1)
            let path = fixture.path("catalog/\(SetFixture.id(2)).json")
            try Data(#"{"format": 99, "tool": "databudgie 9.0.0"}"#.utf8).write(to: URL(filePath: path))
            let events = EventLog()
            #expect(try await fixture.restore("[a, b]", events: events).set == SetFixture.id(1))
            let expected = "the set \(SetFixture.id(2)) is of databudgie 9.0.0, which this version cannot read; "
            #expect(events.warnings.first?.hasPrefix(expected) == true)
            try Data("{".utf8).write(to: URL(filePath: path))
            #expect(
                await fixture.refusal("[a, b]", code: .dataFile)
                    == "the set record \(path) is damaged: it is not JSON"
            )
            #expect(try await fixture.restore("[a, b]", set: .id("2026-01-01")).failed.isEmpty)
        }
    }

    @Test("A role that is not allowed to list the catalog restores files by their names, and is told")
    func deniedCatalog() async throws {
        let server = try await S3Server.shared
        try await SetFixture.with(.s3) { fixture in
            try await fixture.backup(1, "[a]", rows: 1)
            let rule = FaultProxy.Rule(.error(403, "AccessDenied"), method: "GET", target: "catalog")
            try await FaultProxy.withProxy(to: server.endpoint, rules: [rule]) { proxy async throws in
                for catalog in [nil, "catalog: catalog"] {
                    var configuration = try fixture.run.configuration(fixture.yaml("[a]", catalog ?? ""))
                    configuration.restore.run.s3 = server.options(endpoint: proxy.endpoint)
                    let (events, restore) = (
                        EventLog(), RestoreRun(configuration, environment: RunEnvironment(variables: [:]))
                    )
                    guard catalog == nil else {
                        let error = await #expect(throws: DatabudgieError.self) { try await restore.run() }
                        #expect(error?.code == .storage && error?.effect == .nothingChanged)
                        continue
                    }
                    let report = try await restore.run(onEvent: events.append)
                    #expect(report.failed.isEmpty && report.set == nil)
                    #expect(events.warnings.count == 1)
                    #expect(
                        events.warnings.first?.hasPrefix("whether there are sets is not known, so files are ") == true
                    )
                    #expect(try await fixture.loaded() == "1|NULL")
                }
            }
        }
    }

    @Test("A restore that is resumed continues with its set")
    func resumed() async throws {
        try await SetFixture.with { fixture in
            try await fixture.run.execute(fixture.run.target, ManifestTable("m").definition)
            try await fixture.backup(1, "[a, b]", rows: 1)
            #expect(try await fixture.restore("[a, b]", "manifest: m", resuming: 1).finished.count == 2)
            try await fixture.run.execute(
                fixture.run.target,
                "delete from m where \"table\" = 'public.b'; delete from b"
            )
            try await fixture.backup(2, "[a, b]", rows: 2)
            let events = EventLog()
            let report = try await fixture.restore("[a, b]", "manifest: m", resuming: 1, events: events)
            #expect(report.set == SetFixture.id(1) && report.finished.count == 1 && events.warnings == [])
            #expect(try await fixture.loaded() == "1|1")
            #expect(try await fixture.restore("[a, b]", "manifest: m", resuming: 2).set == SetFixture.id(2))
        }
    }
}
