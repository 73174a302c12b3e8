import Crypto
import Foundation
import Postgres
import Storage

/// Prepares the masks of a backup, and refuses what cannot be, before anything is written.
struct MaskPreparation {
    let session: DatabaseSession
    let catalog: DatabaseCatalog

    /// Finds the masks of a plan.
    ///
    /// - Parameters:
    ///   - plan: In the snapshot's transaction.
    ///   - readsRows: The server also checks masked rows as the constraints of their tables would.
    /// - Returns: The masks; nothing when none are configured.
    /// - Throws: ``DatabudgieError`` with all problems of the rules and with all of what the server refuses;
    ///   `PostgresError`, `CancellationError`.
    func masks(of plan: BackupPlan, readsRows: Bool = true) async throws -> PreparedMasks {
        guard let configuration = session.settings.masking, let key = session.settings.maskKey else {
            return PreparedMasks()
        }
        let inspection = MaskInspection(
            connection: session.connection,
            catalog: catalog,
            configuration: configuration,
            key: key,
            references: plan.subset?.graph
        )
        let result = try await inspection.masks(of: plan.jobs)
        let findings = MaskSummary(result.plan, configuration.policy).findings
        try findings.throwProblems(.configuration)
        let prepared = PreparedMasks(
            masks: result,
            findings: findings,
            record: SetRecord.Masking(
                policy: configuration.policy.rawValue,
                keyID: key.id,
                lists: NameLists.version,
                unclassified: result.plan.unclassified.count,
                rules: "sha256:"
                    + hexadecimal(SHA256.hash(data: Data(ConfigurationPrinter().rules(of: configuration).utf8)))
            )
        )
        let jobs = prepared.applied(to: plan).jobs
        try (try await inspection.refusals(of: jobs)).map(\.finding).throwProblems(.configuration)
        guard readsRows else { return prepared }
        let probe = MaskProbe(connection: session.connection, columns: result.columns, key: key)
        try (try await probe.violations(of: jobs)).map(\.finding).throwProblems(.database)
        return prepared
    }
}

/// Masks that a plan can be given, whenever it is computed again.
struct PreparedMasks: Sendable {
    var masks: MaskInspection.InspectedMasks?
    var findings: [Finding] = []
    var record: SetRecord.Masking?

    /// What becomes of the columns of a plan's tables; nothing without masks.
    func counts(of jobs: [BackupJob]) -> [JobID: RunPlan.Masks] {
        guard let masks else { return [:] }
        let counts = zip(jobs, masks.plan.counts).filter(\.0.includesRows).map { job, counts in
            (job.id, RunPlan.Masks(columns: counts.columns, masked: counts.masked, kept: counts.kept))
        }
        return Dictionary(counts) { first, _ in first }
    }

    /// The plan with masks in its queries.
    func applied(to plan: BackupPlan) -> BackupPlan {
        guard let masks, let record else { return plan }
        var plan = plan
        plan.jobs = masks.applied(to: plan.jobs)
        plan.findings += findings
        plan.masking = record
        return plan
    }
}

/// What a run says of its masks: columns without a rule are counted, not listed.
struct MaskSummary {
    let findings: [Finding]

    init(_ plan: MaskPlan, _ policy: MaskingConfiguration.Policy) {
        let unclassified = plan.unclassified
        var findings = plan.findings.filter { $0.code != .unclassified }.map(\.finding)
        if let first = unclassified.compactMap(\.column).first {
            let isOne = unclassified.count == 1
            let sentence = "\(counted(unclassified.count, "column")) \(isOne ? "has" : "have") no rule"
            let names = unclassified.compactMap(\.column).listed(atMost: 3)
            findings.append(
                policy == .strict
                    ? .problem(
                        "\(sentence); the first: \(first)",
                        hint: "'databudgie mask suggest' writes rules for them"
                    )
                    : .warning(
                        "\(sentence) and \(isOne ? "is" : "are") exported unmasked: \(names)",
                        hint: "'databudgie mask suggest' writes rules for them"
                    )
            )
        }
        self.findings = findings
    }
}
