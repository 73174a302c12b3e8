/// What a job wants to become of the indexes and keys of its table.
struct RebuildChoice: Sendable {
    /// Whether something is dropped and built again.
    enum Wish: Sendable {
        case no
        /// It takes less time.
        case worthwhile
        /// The user says so.
        case demanded
    }

    var indexes = Wish.no
    var foreignKeys = Wish.no
    /// The load itself needs them: they decide which rows are loaded, or triggers rely on them.
    var isNeeded = false

    /// Something is to be dropped.
    var isWanted: Bool { indexes != .no || foreignKeys != .no }

    /// The user asks for it.
    var isDemanded: Bool { indexes == .demanded || foreignKeys == .demanded }
}

/// What the jobs of a group want to become of the indexes and keys of their tables.
struct RebuildChoices {
    private var choices: [JobID: RebuildChoice] = [:]
    /// What the user should know.
    private(set) var findings: [Finding] = []

    subscript(job: RestoreJob) -> RebuildChoice { choices[job.id] ?? RebuildChoice() }

    /// Compares what is configured with what pays, and with what the loads need.
    ///
    /// - Parameters:
    ///   - group: What is loaded in one transaction.
    ///   - formats: How the files are sent.
    ///   - estimate: What pays.
    init(_ group: LoadGroup, _ formats: [JobID: LoadFormat], _ estimate: LoadEstimate) {
        let loads = Dictionary(grouping: group.jobs, by: \.relation.oid)
        let rebuilt = group.jobs.filter { [.table, .partitionedTable].contains($0.relation.kind) && !$0.isNew }
        for job in rebuilt {
            let isWorthwhile = estimate.isWorthwhile(loads[job.relation.oid] ?? [job])
            func wish(_ mode: RebuildMode) -> RebuildChoice.Wish {
                switch mode {
                case .automatic: isWorthwhile ? .worthwhile : .no
                case .keep: .no
                case .rebuild: .demanded
                }
            }
            choices[job.id] = RebuildChoice(indexes: wish(job.indexes), foreignKeys: wish(job.foreignKeys))
        }
        if let firing = group.jobs.first(where: { formats[$0.id]?.firingTriggers.isEmpty == false }) {
            for job in rebuilt { keep(job, because: "triggers of \(firing.id) fire") }
        }
        let needing = group.jobs.compactMap { job in Self.need(job).map { (job: job, reason: $0) } }
        guard !needing.isEmpty else { return }
        let jobs = Dictionary(grouping: rebuilt, by: \.relation.oid)
        for (job, reason) in needing {
            for relative in estimate.catalog.family(of: job.relation.oid) {
                for other in jobs[relative] ?? [] { keep(other, because: reason) }
            }
        }
    }

    private mutating func keep(_ job: RestoreJob, because reason: String) {
        guard !self[job].isNeeded else { return }
        if self[job].isDemanded {
            findings.append(
                .warning("its indexes and foreign keys are kept during the load, because \(reason)", of: job.id)
            )
        }
        choices[job.id] = RebuildChoice(isNeeded: true)
    }

    private static func need(_ job: RestoreJob) -> String? {
        if job.mode.merges { return "'mode: \(job.mode.rawValue)' recognizes rows by them" }
        return job.maxRejects > 0 ? "'max_rejects' rejects rows by them" : nil
    }
}
