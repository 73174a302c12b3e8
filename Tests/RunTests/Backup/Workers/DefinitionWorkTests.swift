import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Definitions that are written while rows are exported", .timeLimit(.minutes(5)))
struct DefinitionWorkTests {
    private static let gated = "{query: 'select gate(1) as gate', location: gated}"

    private func yaml(_ fixture: RunFixture, _ tables: String = "[t, \(gated)]", _ more: String = "", jobs: Int = 2)
        -> String
    {
        fixture.ddlYAML(tables, "jobs: \(jobs)\(more)")
    }

    private func files(_ fixture: RunFixture) throws -> [String] {
        try fixture.files().filter { !$0.hasPrefix("bin/") }.sorted()
    }

    /// A pg_dump that fails once there is a file of a table.
    private func failingPath(_ fixture: RunFixture, after table: String?) throws -> String {
        let wait =
            table.map { "while ! ls \(fixture.folder)/\($0)/*.csv* >/dev/null 2>&1; do sleep 0.02; done\n" } ?? ""
        return try fixture.path(
            withFake: "pg_dump",
            "if [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) 99.1'; exit; fi\n\(wait)echo broken >&2; exit 1\n"
        )
    }

    @Test("They are there before a table is that takes longer, and are of the same moment")
    func overlap() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withGates(1) { gates in
                try await fixture.execute(fixture.source, "create table t (id int); insert into t values (1)")
                let restorable = yaml(fixture)
                async let report = fixture.backup(restorable)
                try await poll("the list of definitions is written") {
                    try files(fixture).contains { $0.hasPrefix("backups/ddl/") }
                }
                #expect(try !files(fixture).contains { $0.hasPrefix("gated/") })
                try await fixture.execute(fixture.source, "create table later (id int)")
                try await gates.open(1)
                let ended = try await report
                #expect(ended.failed.isEmpty, "\(ended.failed)")
                #expect(ended.definitions == ["public.t"])
                #expect(ended.finished.map(\.includesDefinition) == [true, false])
                #expect(try fixture.record().definitions.count > 1)
                #expect(try await fixture.restore(fixture.ddlYAML("[t]")).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, "select id from t") == ["1"])
            }
        }
    }

    @Test(
        "When pg_dump fails, the rows that are written are removed, those that are read are not, and nothing is a set"
    )
    func failure() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withGates(1) { _ in
                try await fixture.execute(fixture.source, "create table t (id serial); insert into t values (1)")
                let path = try failingPath(fixture, after: "public.t")
                let error = await #expect(throws: DatabudgieError.self) {
                    try await fixture.backup(yaml(fixture, jobs: 3), path: path)
                }
                #expect(error?.problems.first?.message.contains("broken") == true)
                #expect(try files(fixture) == [])
            }
        }
    }

    @Test(
        "When pg_dump fails after the last row, or the run is interrupted then, nothing is left",
        arguments: [false, true]
    )
    func lateFailure(isInterrupted: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id serial); create table u (id int)")
            let path = try fixture.path(
                withFake: "pg_dump",
                """
                if [ "$1" = --version ]; then echo 'pg_dump (PostgreSQL) 99.1'; exit; fi
                touch \(fixture.folder)/bin/begun
                while ! [ -e \(fixture.folder)/bin/go ]; do sleep 0.02; done
                echo broken >&2; exit 1
                """
            )
            let yaml = yaml(fixture, "[t, u]")
            let run = Task { try await fixture.backup(yaml, path: path) }
            try await poll("all rows are written, and pg_dump runs") {
                let files = try fixture.files()
                return ["public.t/2", "public.u/2", "bin/begun"].allSatisfy { name in
                    files.contains { $0.hasPrefix(name) }
                }
            }
            // The leader waits.
            try await Task.sleep(for: .milliseconds(300))
            if isInterrupted { run.cancel() }
            try fixture.write("", to: "bin/go")
            let error = await #expect(throws: (any Error).self) { try await run.value }
            #expect(isInterrupted ? error is CancellationError : error is DatabudgieError, "\(error as Any)")
            #expect(try files(fixture) == [])
        }
    }

    @Test("When the connection that reads definitions is lost, the first one reads them")
    func lostConnection() async throws {
        try await RunFixture.with { fixture in
            try await fixture.withGates(1) { gates in
                try await fixture.execute(fixture.source, "create table t (id int); insert into t values (1)")
                let path = try fixture.path(
                    withFake: "pg_dump",
                    """
                    if [ "$1" != --version ]; then
                        touch \(fixture.folder)/bin/begun
                        while ! [ -e \(fixture.folder)/bin/go ]; do sleep 0.02; done
                    fi
                    exec /usr/bin/env PATH="${PATH#*:}" pg_dump "$@"
                    """
                )
                // The first connection waits at the gate, so it is another one that reads definitions.
                let yaml = yaml(fixture)
                let run = Task { try await fixture.backup(yaml, path: path) }
                try await poll("pg_dump runs") { try fixture.files().contains("bin/begun") }
                let readers = """
                    select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'
                        and query ~ 'pg_export_snapshot.*as snapshot'
                        and datname = '\(fixture.source.keywords["dbname"] ?? "")'
                    """
                #expect(try await fixture.rows(fixture.target, readers) == ["t"])
                try fixture.write("", to: "bin/go")
                try await gates.open(1)
                let report = try await run.value
                #expect(report.failed.isEmpty && report.definitions == ["public.t"])
                #expect(try fixture.record().warnings.contains { $0.contains("over another connection") })
                #expect(try await fixture.restore(fixture.ddlYAML("[t]")).failed.isEmpty)
                #expect(try await fixture.rows(fixture.target, "select id from t") == ["1"])
            }
        }
    }

    @Test(
        "Files that every run replaces stay as they are when pg_dump fails",
        arguments: ["", ", skip_if_exists: true"]
    )
    func sharedNames(more: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int); create table u (id int)")
            let yaml = yaml(fixture, "[t, u]", ", filename: 'f.{ext}'\(more)")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            let content = try fixture.content()
            try await fixture.execute(fixture.source, "insert into t values (1)")
            let path = try failingPath(fixture, after: nil)
            await #expect(throws: DatabudgieError.self) { try await fixture.backup(yaml, path: path) }
            try FileManager.default.removeItem(atPath: fixture.folder + "/bin")
            #expect(try fixture.content() == content)
        }
    }

    @Test("A table of an extension has no definition in the report")
    func extensionTable() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table t (id int); create table u (id int); "
                    + "alter extension plpgsql add table u"
            )
            let report = try await fixture.backup(yaml(fixture, "[t, u]"))
            #expect(report.failed.isEmpty, "\(report.failed)")
            #expect(report.finished.map(\.includesDefinition) == [true, false])
        }
    }
}
