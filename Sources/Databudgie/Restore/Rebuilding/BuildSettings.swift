import Foundation
import Postgres

/// Settings with which a server builds indexes and checks keys as fast as its machine allows.
struct BuildSettings {
    let connection: Connection
    /// How many sessions build at the same time and share the memory.
    var sessions = 1
    /// What is free on this machine, in KiB; nil when it is not known.
    var freeMemory: @Sendable () -> Int? = { Self.available() }

    /// Raises them until the transaction ends; nothing is lowered.
    ///
    /// `shared_buffers` says how much an administrator has given the server; its half, at most 1 GiB, is a small part of the
    /// machine. On a server that shares this machine a sixteenth of what is free may be used as well. As many workers as the
    /// server has, at most four, help unless another number was set (PostgreSQL documentation, "Resource Consumption").
    ///
    /// - Throws: `PostgresError`.
    func raise() async throws {
        let free = isLocal ? (freeMemory() ?? 0) / 16 : 0
        _ = try await connection.query(
            """
            select case name
                when 'maintenance_work_mem' then pg_catalog.set_config(name, greatest(setting::pg_catalog.int8,
                    least(1048576::pg_catalog.int8, greatest($1::pg_catalog.int8, (select s.setting::pg_catalog.int8
                        operator(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.int8
                        operator(pg_catalog./) 2048::pg_catalog.int8
                        from pg_catalog.pg_settings s where s.name operator(pg_catalog.=) 'shared_buffers')))
                    operator(pg_catalog./) $2::pg_catalog.int8)::pg_catalog.text operator(pg_catalog.||) 'kB', true)
                when 'max_parallel_maintenance_workers' then case when source operator(pg_catalog.=) 'default' then
                    pg_catalog.set_config(name, least(4,
                        pg_catalog.current_setting('max_parallel_workers')::pg_catalog.int4)::pg_catalog.text, true) end
                end
            from pg_catalog.pg_settings
            where name operator(pg_catalog.=) any ('{maintenance_work_mem,max_parallel_maintenance_workers}'::pg_catalog.text[])
            """,
            [String(free), String(max(sessions, 1))]
        )
    }

    /// Runs the body with them, without a search path, and with no tablespace but those that statements name; both are put back
    /// afterwards.
    ///
    /// - Parameter body: Uses the connection, within an open transaction.
    /// - Throws: What the body throws, or `PostgresError`; everything is then put back by the transaction's end.
    nonisolated(nonsending) func with(_ body: () async throws -> Void) async throws {
        try await raise()
        let before = try await connection.query(
            "select pg_catalog.current_setting('default_tablespace') as tablespace"
        ).rows.first?["tablespace"]
        try await connection.withEmptySearchPath(body)
        _ = try await connection.query("select pg_catalog.set_config('default_tablespace', $1, true)", [before])
    }

    /// The server shares this machine's memory, as far as anyone can tell.
    private var isLocal: Bool {
        let (host, address) = (connection.server.host, connection.server.address)
        return host.utf8.first == UInt8(ascii: "/") || address.utf8.starts(with: "127.".utf8)
            || address.hasBytes(of: "::1")
    }

    /// Reads what Linux calls available.
    private static func available() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(atByte: "\n").first(where: { $0.startsWithBytes(of: "MemAvailable:") })
        else { return nil }
        return line.split(atByte: " ").compactMap { Int($0) }.first
    }
}

extension BuildSettings {
    /// The settings of a member of a restore, which shares the server with the others.
    init(_ session: DatabaseSession) {
        self.init(
            connection: session.connection,
            sessions: session.settings.jobs ?? session.settings.standardJobs
        )
    }
}
