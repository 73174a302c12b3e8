import Postgres
import Storage

/// Computes the plan of a run, with all that a run itself checks before its first row.
struct PlanCheck: Sendable {
    let run: CheckedRun
    let server: ServerCheck.Result

    /// What was found.
    struct Result: Sendable {
        var findings: [CheckFinding] = []
        /// The plan; nil when there is none.
        var plan: RunPlan?
        /// There is none because the storage failed.
        var needsStorage = false
    }

    /// Plans as often as it takes to see what an error hides.
    ///
    /// - Throws: `CancellationError`.
    func check() async throws -> Result {
        guard server.isConnected else {
            return Result(findings: [run.finding(.skipped, .tables, "not checked without a connection")])
        }
        var result = try await attempt(configuration)
        guard result.plan == nil, !result.needsStorage, let simpler = simpler(configuration) else { return result }
        let second = try await attempt(simpler)
        let known = Set(result.findings)
        result.findings += second.findings.filter { $0.outcome == .problem && !known.contains($0) }
        return result
    }

    /// The configuration without what is known to fail.
    private var configuration: Configuration {
        var configuration = run.configuration
        if !server.hasTools { configuration.backup.run.definitions.isEnabled = false }
        if !server.hasManifest {
            (configuration.backup.run.manifest, configuration.backup.run.resumeID) = (nil, nil)
            (configuration.restore.run.manifest, configuration.restore.run.resumeID) = (nil, nil)
        }
        // All tables, whatever has been exported; and no storage is needed for it.
        for index in configuration.backup.tables.indices { configuration.backup.tables[index].skipsIfExists = false }
        return configuration
    }

    /// The configuration of a backup without rules whose mistakes would hide what is wrong with the tables; nil when it has none.
    private func simpler(_ configuration: Configuration) -> Configuration? {
        guard run.kind == .backup, configuration.backup.masking != nil || configuration.backup.subset != nil else {
            return nil
        }
        var configuration = configuration
        (configuration.backup.masking, configuration.backup.subset) = (nil, nil)
        return configuration
    }

    private func attempt(_ configuration: Configuration) async throws -> Result {
        let events = PlanEvents()
        do {
            let plan = try await plan(configuration, onEvent: events.passing(to: { _ in }))
            return Result(findings: findings(of: plan), plan: plan)
        } catch {
            try Task.checkCancellation()
            // What was found before often is the cause.
            var begun = RunPlan(run.kind, database: "")
            events.add(to: &begun)
            let isOfStorage = error is StorageError || (error as? DatabudgieError)?.underlying is StorageError
            return Result(
                findings: findings(of: begun) + run.findings(.tables, error),
                needsStorage: isOfStorage
            )
        }
    }

    private func plan(
        _ configuration: Configuration,
        onEvent: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> RunPlan {
        switch run.kind {
        case .backup:
            try await BackupRun(configuration, environment: run.environment)
                .plan(searchingRows: false, onEvent: onEvent)
        case .restore:
            try await RestoreRun(configuration, environment: run.environment).plan(onEvent: onEvent)
        }
    }

    private func findings(of plan: RunPlan) -> [CheckFinding] {
        let failures = plan.failures.map {
            run.finding(.problem, .tables, $0.message, of: $0.job.description, hint: $0.hint)
        }
        let failed = Set(plan.failures.map(\.job))
        let sound = plan.tables.count { !failed.contains($0.job) }
        guard sound > 0 else { return failures + plan.findings.compactMap(finding) }
        let tables = HumanNumber.count(sound, "table")
        let message =
            switch run.kind {
            case .backup: "\(tables) can be exported"
            case .restore:
                "\(tables) can be loaded" + (plan.set.map { ", from the set \($0.id)" } ?? "")
            }
        return [run.finding(.ok, .tables, message)] + failures + plan.findings.compactMap(finding)
    }

    /// Notes are details of a plan, and where sets are recorded is said of the catalog.
    private func finding(_ finding: Finding) -> CheckFinding? {
        guard finding.kind != .note, finding != SetRecording.unrecorded else { return nil }
        return run.finding(
            finding.kind == .problem ? .problem : .warning,
            .tables,
            finding.message,
            of: finding.table,
            hint: finding.hint
        )
    }
}
