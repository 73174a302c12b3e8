import Foundation
import Postgres

/// Connects to the database of a run, and looks at what it has reached.
struct ServerCheck: Sendable {
    let run: CheckedRun

    /// What was found, and what the plan can count on.
    struct Result: Sendable {
        var findings: [CheckFinding] = []
        var isConnected = false
        /// Definitions can be read, if they are wanted.
        var hasTools = true
        /// The manifest can be used, if there is one.
        var hasManifest = true
    }

    /// The oldest server that the tests run against (README, "Requirements").
    private static let oldestVersion = 15

    private var settings: RunSettings { run.settings }
    private var recreatesDatabase: Bool {
        run.kind == .restore && settings.definitions.isEnabled && settings.definitions.recreatesDatabase
    }

    /// Looks at everything for which no table is needed.
    ///
    /// - Throws: `CancellationError`.
    func check() async throws -> Result {
        var result = Result()
        var version: Int?
        do {
            let (found, server) = try await Connection.withConnection(to: settings.database) { connection in
                (try await look(connection), connection.server)
            }
            version = server.majorVersion
            result = found
        } catch {
            try Task.checkCancellation()
            result.findings += run.findings(.connection, error)
        }
        try await addTools(for: version, to: &result)
        return result
    }

    private func look(_ connection: Connection) async throws -> Result {
        var result = Result()
        result.isConnected = true
        result.findings += Self.connected(run, connection.server)
        let asked = Date()
        let row = try await connection.query(Self.stateQuery).rows.first
        let answered = Date()
        result.findings.append(state(row))
        if try await connection.isPooled {
            result.findings.append(
                run.finding(
                    .warning,
                    .server,
                    "a pooler is in between: without 'jobs' one table at a time is "
                        + (run.kind == .backup ? "exported" : "loaded") + ", and the pooler's limits on time apply",
                    hint: "connect to the server itself, if it can be reached"
                )
            )
        }
        if let time = row?["time"].flatMap(Double.init) {
            // The server's answer is of some moment in between.
            let middle = (asked.timeIntervalSince1970 + answered.timeIntervalSince1970) / 2
            let slack = answered.timeIntervalSince(asked) / 2
            result.findings.append(
                run.clock(abs(time - middle) <= slack ? 0 : time - middle, of: "the database server's clock")
            )
        }
        try await addManifest(over: connection, to: &result)
        if run.kind == .restore { result.findings += try await target(connection) }
        return result
    }

    private static func connected(_ run: CheckedRun, _ server: ServerInfo) -> [CheckFinding] {
        let version = server.version.split(separator: " ").first.map(String.init) ?? server.version
        let security = server.usesTLS ? "with TLS" : server.address.isEmpty ? "over a unix socket" : "without TLS"
        let place = "\(server.host):\(server.port)"
        let message = "Postgres \(version) at \(place), database \(server.database), role \(server.user), \(security)"
        guard server.majorVersion < oldestVersion else { return [run.finding(.ok, .connection, message)] }
        return [
            run.finding(
                .warning,
                .connection,
                message + ": versions before \(oldestVersion) are not tested",
                hint:
                    "upgrade the server, or see by 'databudgie verify --level restore' that its backups can be restored"
            )
        ]
    }

    private func state(_ row: QueryResult.Row?) -> CheckFinding {
        guard row?["standby"] == "t" else { return run.finding(.ok, .server, "it is a primary, which takes writes") }
        if run.kind == .restore {
            let problem = Preflight.standby
            return run.finding(.problem, .server, problem.message, hint: problem.hint)
        }
        let delay = row?["delay"] ?? ""
        if row?["feedback"] == "on" {
            return run.finding(
                .ok,
                .server,
                "it is a standby; the primary keeps the rows it reads (hot_standby_feedback)"
            )
        }
        guard delay != "-1" else {
            return run.finding(.ok, .server, "it is a standby, which waits for queries (max_standby_streaming_delay)")
        }
        return run.finding(
            .warning,
            .server,
            "it is a standby, which cancels a query that has held up the replay for \(delay) "
                + "(max_standby_streaming_delay): a backup begins again once, and fails the second time",
            hint: RecoveryConflict.hint
        )
    }

    private func addManifest(over connection: Connection, to result: inout Result) async throws {
        // 'clean' creates it along with the database.
        guard let table = settings.manifest, !recreatesDatabase else { return }
        do {
            _ = try await ManifestSession.inspect(table, for: run.kind, over: connection)
            result.findings.append(run.finding(.ok, .manifest, "runs can be recorded there", of: "\(table)"))
        } catch let error as DatabudgieError {
            result.hasManifest = false
            result.findings += run.findings(.manifest, error)
        }
    }

    /// Whether a restore would be confirmed, and whether it is allowed to re-create the database.
    private func target(_ connection: Connection) async throws -> [CheckFinding] {
        var findings: [CheckFinding] = []
        let (server, restore) = (connection.server, run.configuration.restore)
        if let patterns = restore.safeHosts {
            let isSafe = SafeHosts(patterns).contains(
                host: server.host,
                address: server.address,
                hasGivenAddress: server.hasGivenAddress
            )
            findings.append(
                isSafe || restore.assumesYes
                    ? run.finding(.ok, .target, isSafe ? "one of 'safe_hosts'" : "confirmed by --yes", of: server.host)
                    : run.finding(
                        .warning,
                        .target,
                        "not one of 'safe_hosts', so a restore asks for a confirmation",
                        of: server.host,
                        hint: "add it, or pass --yes where nobody can answer"
                    )
            )
        }
        if recreatesDatabase {
            do {
                try await DatabaseReset(settings: settings, recorder: RunRecorder { _ in }).checkPrivileges()
                findings.append(run.finding(.ok, .target, "the role is allowed to re-create the database ('clean')"))
            } catch let error as DatabudgieError {
                findings += run.findings(.target, error)
            }
        }
        return findings
    }

    private func addTools(for version: Int?, to result: inout Result) async throws {
        guard run.kind == .backup, settings.definitions.isEnabled else { return }
        do {
            let tools = try await DefinitionDump(environment: settings.variables).version(for: version)
            result.findings.append(
                run.finding(
                    .ok,
                    .definitions,
                    "pg_dump and pg_restore \(tools)"
                        + (version.map { " can dump a server of version \($0)" } ?? " are installed")
                )
            )
        } catch let error as DatabudgieError {
            result.hasTools = false
            result.findings += run.findings(.definitions, error)
        }
    }

    private static let stateQuery = """
        select pg_catalog.pg_is_in_recovery() as standby,
            pg_catalog.current_setting('hot_standby_feedback') as feedback,
            pg_catalog.current_setting('max_standby_streaming_delay') as delay,
            pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) as time
        """
}
