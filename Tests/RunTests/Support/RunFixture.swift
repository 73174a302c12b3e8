import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Synchronization
import Testing

@testable import Databudgie

/// Two databases and a folder: what most tests of whole runs need.
struct RunFixture: Sendable {
    let source: ConnectionParameters
    let target: ConnectionParameters
    let folder: String

    /// Makes two empty databases and a folder, and removes them after the body.
    static func with(_ body: (RunFixture) async throws -> Void) async throws {
        try await PostgresServer.withDatabase { source in
            try await PostgresServer.withDatabase { target in
                try await withTemporaryFolder { folder in
                    try await body(RunFixture(source: source, target: target, folder: folder))
                }
            }
        }
    }

    /// The same fixture, connected as another role, which needs no password on the test server's socket.
    func connected(as role: String) -> RunFixture {
        var (source, target) = (source, target)
        source.keywords["user"] = role
        target.keywords["user"] = role
        return RunFixture(source: source, target: target, folder: folder)
    }

    /// Runs SQL in both databases.
    func onBoth(_ sql: String) async throws {
        try await execute(source, sql)
        try await execute(target, sql)
    }

    /// Runs SQL, adapted to what the build of the server brings along.
    func execute(_ parameters: ConnectionParameters, _ sql: String) async throws {
        let sql = try await ServerBuild.shared.adapted(sql)
        try await Connection.withConnection(to: parameters) { try await $0.execute(sql) }
    }

    /// A query's rows, their columns joined with `|`.
    func rows(_ parameters: ConnectionParameters, _ sql: String) async throws -> [String] {
        try await Connection.withConnection(to: parameters) { connection in
            let result = try await connection.query(sql)
            return result.rows.map { row in
                result.columns.indices.map { row[$0] ?? "NULL" }.joined(separator: "|")
            }
        }
    }

    /// Whether a session waits for such a lock in the source; other tests wait for locks of their own databases.
    func isWaiting(for lock: String) async throws -> Bool {
        let locks = """
            select 1 from pg_locks where not granted and \(lock)
                and database = (select oid from pg_database where datname = current_database())
            """
        return try await rows(source, locks).isEmpty == false
    }

    /// A configuration whose backup reads the source and whose restore writes to the target.
    func configuration(_ yaml: String) throws -> Configuration {
        var configuration = try Configuration.load(yaml: yaml, environment: [:])
        configuration.backup.run.connection = source
        configuration.restore.run.connection = target
        // Whatever machine the test runs on.
        configuration.backup.jobs = configuration.backup.jobs ?? 1
        configuration.restore.jobs = configuration.restore.jobs ?? 1
        return configuration
    }

    func backup(_ yaml: String, isDryRun: Bool = false, events: EventLog = EventLog()) async throws -> RunReport {
        var configuration = try configuration(yaml)
        configuration.backup.run.isDryRun = isDryRun
        let environment = RunEnvironment.reporting
        return try await BackupRun(configuration, environment: environment).run(onEvent: events.append)
    }

    func restore(_ yaml: String, isDryRun: Bool = false, events: EventLog = EventLog()) async throws -> RunReport {
        var configuration = try configuration(yaml)
        configuration.restore.run.isDryRun = isDryRun
        let environment = RunEnvironment.reporting
        return try await RestoreRun(configuration, environment: environment).run(onEvent: events.append)
    }

    /// Opens the storages and the database of a run, and does with them what a run itself does not.
    func session(
        _ configuration: Configuration,
        _ kind: RunKind,
        _ body: (DatabaseSession) async throws -> Void
    ) async throws {
        let settings = try RunSettings(configuration, for: kind, in: RunEnvironment())
        _ = try await Session.run(settings, onEvent: { _ in }) { session in
            try await session.withDatabase(body)
            return RunResults()
        }
    }

    /// A configuration of tables whose files lie in folders of their own names.
    func yaml(_ tables: String, truncate: Bool = true) -> String {
        "{root_location: \(folder), location: '{table}', truncate: \(truncate), tables: \(tables)}"
    }

    /// What the preflight of a restore refuses, which changes nothing.
    func preflightLines(_ yaml: String) async -> [String] {
        let error = await #expect(throws: DatabudgieError.self) { try await restore(yaml) }
        #expect(error?.code == .preflight)
        #expect(error?.effect == .nothingChanged)
        return error?.problems.map(\.description) ?? []
    }

    /// All files below the folder, by their paths relative to it, without the records of sets.
    func files() throws -> [String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return paths.filter { path in
            guard !("/" + path).contains("/catalog/") else { return false }
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    /// Removes the records of sets, as if an older version had written the files: each is chosen by its name then.
    func forgetSets() throws {
        try FileManager.default.removeItem(atPath: folder + "/catalog")
    }

    func text(_ file: String) throws -> String {
        try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
    }

    func write(_ text: String, to file: String) throws {
        try write(Data(text.utf8), to: file)
    }

    func write(_ data: Data, to file: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
    }
}

extension RunEnvironment {
    /// Surroundings without the proxies of this machine, in which reports and notifications may take their time.
    static var reporting: RunEnvironment {
        var environment = RunEnvironment()
        environment.variables = environment.variables.filter { !$0.key.lowercased().hasSuffix("_proxy") }
        environment.reportingTimeLimit = .reportingUnderLoad
        environment.notificationTimeLimit = .reportingUnderLoad
        environment.notificationPause = .zero
        return environment
    }
}

/// Keeps the events of a run in order.
final class EventLog: Sendable {
    private let events = Mutex<[RunEvent]>([])

    var all: [RunEvent] { events.withLock { $0 } }

    /// What was found in the run, each with its table and its hint in one line.
    var warnings: [String] { findings(.warning) }

    var notes: [String] { findings(.note) }

    private func findings(_ kind: Finding.Kind) -> [String] {
        all.compactMap { event in
            if case .found(let finding) = event, finding.kind == kind { finding.description } else { nil }
        }
    }

    @Sendable func append(_ event: RunEvent) {
        events.withLock { $0.append(event) }
    }
}

extension Duration {
    /// For reports whose time is not what a test is about: with all tests at once a receiver may be slow to answer.
    static let reportingUnderLoad = Duration.seconds(60)
}
