import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

extension RunFixture {
    /// A session of a run that waits at a gate.
    struct WaitingMember {
        let pid: String
        let gate: Int
    }

    /// Opens gates.
    struct Gatekeeper {
        let connection: Connection

        func open(_ gate: Int) async throws {
            try await connection.execute("select pg_advisory_unlock(\(gate))")
        }
    }

    /// A function that returns when a gate is open; the server does not know that it waits, so no limit on locks ends it.
    private static let gate = """
        create function public.gate(number int) returns int language plpgsql as $$ begin
            while not pg_catalog.pg_try_advisory_xact_lock_shared(number) loop perform pg_catalog.pg_sleep(0.005); end loop;
            return number;
        end $$
        """

    /// Creates gates in the source, which are closed while the body does not open them.
    func withGates(_ count: Int, _ body: (Gatekeeper) async throws -> Void) async throws {
        try await execute(source, Self.gate)
        try await Connection.withConnection(to: source) { keeper in
            for number in 1...count { try await keeper.execute("select pg_advisory_lock(\(number))") }
            try await body(Gatekeeper(connection: keeper))
        }
    }

    /// An entry of `tables` whose query waits at a gate and returns the process that has run it.
    static func waiting(at gate: Int, _ more: String = "") -> String {
        "{query: \"select gate(\(gate)) as gate, pg_backend_pid() as pid\", location: gate\(gate), filename: f.csv\(more)}"
    }

    /// The process that has exported what waited at a gate.
    func process(at gate: Int) throws -> String {
        let lines = try text("gate\(gate)/f.csv").split(separator: "\n")
        return String(try #require(lines.last?.split(separator: ",").last))
    }

    /// The sessions of a run that wait at gates, once there are so many: the leader first, which has connected before the others.
    func members(_ count: Int) async throws -> [WaitingMember] {
        let query = """
            select pid, substring(query from 'gate\\((\\d+)\\)') from pg_stat_activity where state = 'active'
                and query ~ '(^|; )copy .*gate[(]' and datname = '\(source.keywords["dbname"] ?? "")' order by backend_start
            """
        var members: [WaitingMember] = []
        try await poll("\(count) sessions wait at gates") {
            members = try await rows(target, query).compactMap { row in
                let parts = row.split(separator: "|")
                return Int(parts[1]).map { WaitingMember(pid: String(parts[0]), gate: $0) }
            }
            return members.count == count
        }
        return members
    }

    func terminate(_ member: WaitingMember) async throws {
        _ = try await rows(target, "select pg_terminate_backend(\(member.pid))")
    }
}
