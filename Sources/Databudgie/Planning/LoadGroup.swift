/// Jobs that share one transaction.
struct LoadGroup: Sendable {
    /// The group's place in the plan.
    let number: Int
    /// Referenced tables first.
    var jobs: [RestoreJob]
    /// Tables that have to land with the jobs, but have no file: the group cannot be loaded.
    var missing: [MissingLoad] = []
    /// What is emptied first, in one command.
    var truncated: [Relation]
    /// Those of the truncated tables that no entry asks to empty, but `truncate: cascade` reaches.
    var cascaded: [Relation] = []
    /// Those of the truncated tables that must have no rows: the server truncates them only along with what they refer to,
    /// and no entry asks to empty them.
    var emptyReferrers: [Relation] = []
    /// Constraints between tables that refer to one another in a cycle: their check waits until all rows are there.
    var deferredKeys: [ForeignKey]
    /// The groups that this one refers to by foreign keys, by their numbers: its rows need theirs.
    var references: Set<Int> = []
    /// Why the jobs are in one group: enough reasons to connect all of them.
    var bonds: [LoadBond] = []

    /// All jobs, those without a file too.
    var ids: [JobID] { jobs.map(\.id) + missing.map(\.id) }

    /// Whether a failure of the group stops the run.
    var isStrict: Bool { jobs.contains(where: \.isStrict) || missing.contains(where: \.isStrict) }
}

extension LoadGroup {
    /// Groups that are loaded in one transaction, without need.
    ///
    /// - Parameter groups: Those of which none refers to another one.
    init(joining groups: [LoadGroup]) {
        self.init(
            number: groups.first?.number ?? 0,
            jobs: groups.flatMap(\.jobs),
            missing: groups.flatMap(\.missing),
            truncated: groups.flatMap(\.truncated),
            cascaded: groups.flatMap(\.cascaded),
            emptyReferrers: groups.flatMap(\.emptyReferrers),
            deferredKeys: groups.flatMap(\.deferredKeys),
            references: groups.reduce(into: []) { $0.formUnion($1.references) },
            bonds: groups.flatMap(\.bonds)
        )
    }
}

/// A table that a restore asks for by its name, and for which no file was found.
struct MissingLoad: Sendable {
    let id: JobID
    let relation: Relation
    let truncate: TruncateMode
    let isStrict: Bool
}

extension MissingLoad {
    /// The load of a table whose file is missing.
    init(_ id: JobID, _ candidate: RestoreCandidate) {
        self.init(
            id: id,
            relation: candidate.relation,
            truncate: candidate.entry.truncate,
            isStrict: candidate.entry.options.isStrict
        )
    }
}
