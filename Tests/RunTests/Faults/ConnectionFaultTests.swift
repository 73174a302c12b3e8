import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Runs whose database goes away", .timeLimit(.minutes(5)))
struct ConnectionFaultTests {
    private static let schema = """
        create table a (id int primary key, text text); create table b (id int primary key);
        """

    private static let rows = """
        insert into a select n, repeat(md5(n::text), 8) from generate_series(1, 3000) n;
        insert into b select n from generate_series(1, 100) n;
        """

    private func configuration(
        _ fixture: RunFixture,
        source: ConnectionParameters? = nil,
        target: ConnectionParameters? = nil
    ) throws -> Configuration {
        var configuration = try fixture.configuration(fixture.yaml("[public.a, public.b]"))
        if let source { configuration.backup.run.connection = source }
        if let target { configuration.restore.run.connection = target }
        return configuration
    }

    /// Where the network is cut, in parts of what a whole run sends or receives.
    static let parts = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995]

    /// A backup with the network cut after some bytes; nil when the cut came after its end.
    private func backup(
        _ fixture: RunFixture,
        cutting direction: CuttingProxy.Direction,
        after limit: Int
    ) async throws -> (error: (any Error)?, passed: Int) {
        try await CuttingProxy.withProxy(to: fixture.source, cutting: direction, after: limit) { proxy async throws in
            let configuration = try self.configuration(fixture, source: proxy.parameters)
            do {
                let report = try await BackupRun(configuration, environment: RunEnvironment()).run()
                #expect(report.failed.isEmpty)
                return (nil, proxy.passed(direction))
            } catch {
                return (error, proxy.passed(direction))
            }
        }
    }

    @Test(
        "A backup whose network is cut says so in one line, and leaves whole sets alone",
        arguments: CuttingProxy.Direction.allCases
    )
    func cutBackup(direction: CuttingProxy.Direction) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema + Self.rows)
            let whole = try await backup(fixture, cutting: direction, after: .max)
            #expect(whole.error == nil)
            for part in Self.parts {
                let result = try await backup(fixture, cutting: direction, after: Int(Double(whole.passed) * part))
                let error = try #require(result.error as? PostgresError, "\(part)")
                #expect(error.code == .connectionLost || error.code == .connectionFailed, "\(error)")
                fixture.expectOneLine(error)
                try await fixture.expectSoundSets(try configuration(fixture))
            }
        }
    }

    @Test(
        "A restore whose network is cut says so in one line, and leaves each table old or new",
        arguments: CuttingProxy.Direction.allCases
    )
    func cutRestore(direction: CuttingProxy.Direction) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.schema)
            try await fixture.execute(fixture.source, Self.rows)
            let report = try await BackupRun(try configuration(fixture), environment: RunEnvironment()).run()
            #expect(report.failed.isEmpty)
            let new = try await fixture.contents(fixture.source, ["a", "b"])
            func restore(after limit: Int) async throws -> (error: (any Error)?, passed: Int) {
                try await CuttingProxy.withProxy(to: fixture.target, cutting: direction, after: limit) {
                    proxy async throws in
                    let configuration = try self.configuration(fixture, target: proxy.parameters)
                    do {
                        let report = try await RestoreRun(configuration, environment: RunEnvironment()).run()
                        #expect(report.failed.isEmpty)
                        return (nil, proxy.passed(direction))
                    } catch {
                        return (error, proxy.passed(direction))
                    }
                }
            }
            let old = "truncate a, b; insert into a values (1, 'old'); insert into b values (1)"
            try await fixture.execute(fixture.target, old)
            let before = try await fixture.contents(fixture.target, ["a", "b"])
            let whole = try await restore(after: .max)
            #expect(whole.error == nil)
            for part in Self.parts {
                try await fixture.execute(fixture.target, old)
                let result = try await restore(after: Int(Double(whole.passed) * part))
                let now = try await fixture.contents(fixture.target, ["a", "b"])
                for (now, (before, new)) in zip(now, zip(before, new)) { #expect(now == before || now == new) }
                // What follows the last commit, such as ANALYZE, need not succeed.
                guard let error = result.error else {
                    #expect(now == new, "\(part)")
                    continue
                }
                // What comes before the first row also says that nothing was changed.
                let early = error as? DatabudgieError
                #expect(early == nil || early?.effect == .nothingChanged && now == before, "\(error)")
                let cause = error as? PostgresError ?? early?.underlying as? PostgresError
                #expect(cause?.code == .connectionLost || cause?.code == .connectionFailed, "\(error)")
                fixture.expectOneLine(error)
            }
            try await fixture.execute(fixture.target, old)
            #expect(try await restore(after: .max).error == nil)
            #expect(try await fixture.contents(fixture.target, ["a", "b"]) == new)
        }
    }

    /// Two databases on a server that restarts, and a folder.
    private func withServer(_ body: (RunFixture, _ restart: () async throws -> Void) async throws -> Void) async throws
    {
        try await PostgresServer.withServer { server in
            try await server.withDatabase { source in
                try await server.withDatabase { target in
                    try await withTemporaryFolder { folder in
                        let fixture = RunFixture(source: source, target: target, folder: folder)
                        try await body(fixture) {
                            // The server ends all sessions, and recovers, when one of its processes is killed.
                            let copy =
                                "select pid from pg_stat_activity where state = 'active' and query ~* '(^|; )copy '"
                            let pid = try await fixture.rows(server.superuser, copy).first.flatMap { pid_t($0) }
                            try #require(kill(try #require(pid), SIGKILL) == 0)
                            try await poll("the server is back") {
                                (try? await fixture.rows(server.superuser, copy).isEmpty) == true
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("A server that restarts during the COPY of a backup ends it; the tables before are a partial set")
    func restartedBackup() async throws {
        try await withServer { fixture, restart in
            try await fixture.execute(fixture.source, Self.schema + Self.rows)
            let yaml = """
                {root_location: \(fixture.folder), location: '{table}', tables: [public.b,
                  {query: "select n, pg_advisory_lock(n) from generate_series(1, 10000) n", location: slow}, public.a]}
                """
            try await Connection.withConnection(to: fixture.source) { gate in
                try await gate.execute("select pg_advisory_lock(9000)")
                let run = Task { try await fixture.backup(yaml) }
                try await poll("the query runs") { try await fixture.isWaiting(for: "locktype = 'advisory'") }
                try await restart()
                let error = await #expect(throws: PostgresError.self) { try await run.value }
                #expect(error?.code == .connectionLost)
                fixture.expectOneLine(error)
            }
            let sets = try await fixture.expectSoundSets(try fixture.configuration(yaml))
            #expect(sets.count == 1)
            #expect(try fixture.files().allSatisfy { $0.hasPrefix("public.b/") })
            let next = try await fixture.backup(fixture.yaml("[public.a, public.b]"))
            #expect(next.failed.isEmpty)
        }
    }

    @Test("A server that restarts during the COPY of a restore ends it, and the table is as it was")
    func restartedRestore() async throws {
        try await withServer { fixture, restart in
            try await fixture.onBoth(Self.schema)
            try await fixture.execute(fixture.source, Self.rows)
            let yaml = fixture.yaml("[public.b, public.a]")
            #expect(try await fixture.backup(yaml).failed.isEmpty)
            try await fixture.execute(
                fixture.target,
                """
                insert into a values (1, 'old'); insert into b values (1);
                create function wait() returns trigger language plpgsql as
                    'begin perform pg_advisory_lock(9000); return new; end';
                create trigger wait before insert on a for each row execute function wait();
                """
            )
            let old = try await fixture.contents(fixture.target, ["a"])
            try await Connection.withConnection(to: fixture.target) { gate in
                try await gate.execute("select pg_advisory_lock(9000)")
                let firing = yaml.replacing("truncate: true", with: "truncate: true, triggers: fire")
                let run = Task { try await fixture.restore(firing) }
                let waiting = "select 1 from pg_locks where not granted and locktype = 'advisory'"
                try await poll("the load waits") { try await fixture.rows(fixture.target, waiting).isEmpty == false }
                try await restart()
                let error = await #expect(throws: PostgresError.self) { try await run.value }
                #expect(error?.code == .connectionLost)
                fixture.expectOneLine(error)
            }
            #expect(try await fixture.contents(fixture.target, ["a"]) == old)
            try await fixture.execute(fixture.target, "drop trigger wait on a")
            #expect(try await fixture.restore(yaml).failed.isEmpty)
            let tables = ["a", "b"]
            #expect(try await fixture.contents(fixture.target, tables) == fixture.contents(fixture.source, tables))
        }
    }
}
