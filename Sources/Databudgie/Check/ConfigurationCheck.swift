import Postgres
import Storage

/// Looks whether what a configuration says can be done: the database, the tools, the storage and the credentials.
///
///     let findings = try await ConfigurationCheck(configuration).run { print($0.sentence) }
///     if !findings.isWithoutProblems { … }
///
/// Nothing lasting is changed. A small file is written to each location of a backup and removed again, and the plans are those
/// of ``BackupRun/plan(onEvent:)`` and ``RestoreRun/plan(onEvent:)``, so that no problem has a second opinion; only the rows of
/// a subset are not searched.
public struct ConfigurationCheck: Sendable {
    private let configuration: Configuration
    private let commands: [RunKind]
    private let environment: RunEnvironment

    /// Prepares a check; nothing is done before ``run(onFinding:)``.
    ///
    /// - Parameters:
    ///   - configuration: What is checked.
    ///   - command: The command whose needs are looked at; nil: the backup, and the restore if it has a database of its own.
    ///   - environment: Environment variables and clock.
    public init(
        _ configuration: Configuration,
        for command: RunKind? = nil,
        environment: RunEnvironment = RunEnvironment()
    ) {
        self.configuration = configuration
        commands = command.map { [$0] } ?? Self.commands(of: configuration)
        self.environment = environment
    }

    /// Looks at everything; whatever fails hides nothing of the rest.
    ///
    /// - Parameter onFinding: Receives each finding as soon as those before it are known: it must return quickly.
    /// - Returns: All findings, in the same order.
    /// - Throws: ``DatabudgieError`` with the code `configuration` for settings that no run can have, before anything is looked
    ///   at; `CancellationError`.
    public func run(
        onFinding: @escaping @Sendable (CheckFinding) -> Void = { _ in }
    ) async throws -> [CheckFinding] {
        let runs = try commands.map { try CheckedRun(configuration, $0, environment) }
        var log = CheckLog(onFinding: onFinding)
        for run in runs { try await check(run, &log) }
        return log.findings
    }

    private func check(_ run: CheckedRun, _ log: inout CheckLog) async throws {
        async let database = checkDatabase(run)
        async let storage = StorageCheck(run: run).check()
        let (server, plan) = try await database
        log.add(server.findings)
        let stored = try await storage
        log.add(stored)
        log.add(MetricsCheck(run: run).check())
        // The plan of a restore reads files, too: what is wrong with them has been said.
        let isRepetition = plan.needsStorage && !stored.isWithoutProblems
        log.add(isRepetition ? plan.findings.map { run.skipped($0) } : plan.findings)
        if run.kind == .backup { log.add(try await SpaceCheck(run: run).check(plan.plan)) }
    }

    private func checkDatabase(_ run: CheckedRun) async throws -> (ServerCheck.Result, PlanCheck.Result) {
        let server = try await ServerCheck(run: run).check()
        return (server, try await PlanCheck(run: run, server: server).check())
    }

    /// With one database for both, as at the root of the configuration or by `--url`, a restore would replace the source.
    private static func commands(of configuration: Configuration) -> [RunKind] {
        let (backup, restore) = (configuration.backup, configuration.restore)
        let restores =
            restore.run.connection != nil && !restore.tables.isEmpty && restore.run.connection != backup.run.connection
        let backsUp = backup.run.connection != nil && !backup.tables.isEmpty
        return (backsUp || !restores ? [.backup] : []) + (restores ? [.restore] : [])
    }
}

extension CheckedRun {
    /// A problem of the storage once more, in the place of what it has hidden.
    fileprivate func skipped(_ finding: CheckFinding) -> CheckFinding {
        guard finding.outcome == .problem else { return finding }
        return self.finding(.skipped, finding.subject, "not checked, because the files cannot be read")
    }
}

/// Gathers findings, each once.
private struct CheckLog {
    let onFinding: @Sendable (CheckFinding) -> Void
    private(set) var findings: [CheckFinding] = []
    private var sentences: Set<ByteKey> = []

    init(onFinding: @escaping @Sendable (CheckFinding) -> Void) {
        self.onFinding = onFinding
    }

    /// Whatever is said twice of a command, by several parts of the check, has one cause.
    mutating func add(_ found: [CheckFinding]) {
        for finding in found where sentences.insert(ByteKey("\(finding.command) \(finding.key)")).inserted {
            findings.append(finding)
            onFinding(finding)
        }
    }
}

extension CheckFinding {
    fileprivate var key: String { outcome == .problem ? sentence : "\(subject) \(sentence)" }
}
