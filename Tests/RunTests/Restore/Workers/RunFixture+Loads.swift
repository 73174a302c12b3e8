import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

extension RunFixture {
    /// A session of a restore that waits at a gate in the target.
    struct WaitingLoad {
        let pid: String
        let table: String
    }

    /// Creates gates in the target, which are closed while the body does not open them.
    ///
    /// A check that calls `gate` lets a load wait; the server does not know that it waits, so no limit on locks ends it.
    func withTargetGates(_ count: Int, _ body: (Gatekeeper) async throws -> Void) async throws {
        try await RunFixture(source: target, target: source, folder: folder).withGates(count, body)
    }

    /// Tables of one row each, whose loads wait at the gates of their numbers, and their files; the first file is the biggest.
    func createGatedTables(_ names: [String]) async throws {
        for (index, name) in names.enumerated() {
            try await execute(target, "create table \(name) (id int check (gate(\(index + 1)) > 0), v text)")
            try writeFile(of: name, 1, String(repeating: "x", count: 100 * (names.count - index)))
        }
    }

    func writeFile(of table: String, _ rows: Any...) throws {
        try write(
            "id,v\n\(rows.map { "\($0)" }.joined(separator: ","))\n",
            to: "public.\(table)/2024-01-01T00:00:00.csv"
        )
    }

    /// A restore of several groups at once.
    func parallelYAML(_ tables: String, jobs: Int = 2, _ more: String = "") -> String {
        "{root_location: \(folder), location: '{table}', truncate: true, jobs: \(jobs), tables: \(tables)\(more)}"
    }

    /// The sessions that wait at gates, once there are so many: the leader first, which has connected before the others.
    func loads(_ count: Int) async throws -> [WaitingLoad] {
        let query = """
            select pid, substring(query from 'copy "public"."(\\w+)"') from pg_stat_activity where state = 'active'
                and query ~ '(^|; )copy "public"' and wait_event = 'PgSleep' and datname = '\(target.keywords["dbname"] ?? "")'
            order by backend_start
            """
        var loads: [WaitingLoad] = []
        try await poll("\(count) loads wait at gates") {
            loads = try await rows(source, query).map { row in
                let parts = row.split(separator: "|")
                return WaitingLoad(pid: String(parts[0]), table: String(parts[1]))
            }
            return loads.count == count
        }
        return loads
    }

    func terminate(_ load: WaitingLoad) async throws {
        _ = try await rows(source, "select pg_terminate_backend(\(load.pid))")
    }

    /// Waits until no session is left in the target but so many.
    func expectNoTargetSessions(but others: Int) async throws {
        let sessions = """
            select count(*) from pg_stat_activity
            where backend_type = 'client backend' and datname = '\(target.keywords["dbname"] ?? "")'
            """
        try await poll("the sessions are gone") { try await rows(source, sessions) == ["\(others)"] }
    }
}

extension EventLog {
    /// The tables that were finished so far, in the order in which they were.
    var finished: [String] {
        all.compactMap { if case .finished(let outcome) = $0 { outcome.job.name } else { nil } }
    }

    /// The tables that have begun so far, in the order in which they did.
    var started: [String] {
        all.compactMap { if case .started(let job) = $0 { job.name } else { nil } }
    }
}
