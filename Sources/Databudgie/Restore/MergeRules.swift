import Storage

/// Decides how the rows of a file are merged with those of a table, or says why they cannot be.
struct MergeRules {
    /// nil when the rows are added as they are, and when they cannot be merged.
    private(set) var merge: RowMerge?
    /// What the user should know.
    private(set) var findings: [Finding] = []

    private let job: RestoreJob
    private var mode: String { "'mode: \(job.mode.rawValue)'" }

    /// Decides it for one job.
    ///
    /// - Parameters:
    ///   - job: What is about to be loaded.
    ///   - columns: The columns of the file that are loaded.
    ///   - target: What is known of the table; nil when the mode merges no rows.
    init(_ job: RestoreJob, columns: [String], _ target: MergeTarget?) {
        self.job = job
        guard job.mode.merges, let target else { return }
        guard [.table, .partitionedTable].contains(job.relation.kind) else {
            // A materialized view is refused in any mode.
            guard job.relation.kind != .materializedView else { return }
            refuse(
                "it is a \(job.relation.kind.noun), whose rows cannot be recognized by a key",
                hint: "use 'mode: append'"
            )
            return
        }
        checkPrivileges(target)
        if !target.rules.isEmpty {
            refuse(
                "it has rules (\(target.rules.joined(separator: ", "))), with which the server does not merge rows",
                hint: "drop them, or use another mode than \(mode)"
            )
        }
        guard let choice = choice(of: target.uniqueKeys) else { return }
        let merge = RowMerge(mode: job.mode, target: job.relation, columns: columns, key: choice.key)
        checkColumns(merge)
        describe(merge)
        self.merge = merge
    }

    private mutating func refuse(_ message: String, hint: String) {
        findings.append(.problem(message, of: job.id, hint: hint))
    }

    private mutating func checkPrivileges(_ target: MergeTarget) {
        var missing = target.canSelect ? [] : ["SELECT"]
        if job.mode == .upsert, !target.canUpdate { missing.append("UPDATE") }
        if !missing.isEmpty {
            refuse(
                "the role lacks \(missing.joined(separator: " and ")) on the table, which \(mode) needs",
                hint: "grant \(missing.count == 1 ? "it" : "them")"
            )
        }
        if !target.canStage {
            refuse(
                "the role lacks TEMPORARY on the database, which \(mode) needs for its staging table",
                hint: "grant it"
            )
        }
    }

    /// The key by which rows are recognized.
    private struct Choice {
        /// nil stands for any unique key.
        let key: UniqueKey?
    }

    private mutating func choice(of keys: [UniqueKey]) -> Choice? {
        let arbiters = keys.filter(\.isArbiter)
        guard job.conflictColumns.isEmpty else { return named(among: keys, arbiters) }
        switch job.mode {
        case .upsert:
            if let key = arbiters.first(where: \.isPrimary) { return Choice(key: key) }
            let reason =
                switch keys.first(where: \.isPrimary) {
                case nil: "it has no primary key"
                case let key? where !key.isImmediate: "its primary key is deferrable"
                default: "its primary key is one WITHOUT OVERLAPS"
                }
            refuse(
                "\(reason), so \(mode) cannot recognize rows by it; \(Self.list(arbiters))",
                hint: Self.advice(arbiters)
            )
        default:
            if let key = keys.first(where: { !$0.isImmediate }) {
                refuse(
                    "its key \(key.name) is deferrable, so \(mode) cannot recognize rows by any key; \(Self.list(arbiters))",
                    hint: Self.advice(arbiters)
                )
            } else if keys.isEmpty {
                refuse("it has no unique key by which \(mode) could recognize rows", hint: Self.advice([]))
            } else {
                return Choice(key: nil)
            }
        }
        return nil
    }

    private mutating func named(among keys: [UniqueKey], _ arbiters: [UniqueKey]) -> Choice? {
        if let key = arbiters.first(where: { $0.hasColumns(job.conflictColumns) }) { return Choice(key: key) }
        let names = "(\(job.conflictColumns.joined(separator: ", ")))"
        let isDeferrable = keys.contains { $0.isPlain && $0.hasColumns(job.conflictColumns) }
        refuse(
            (isDeferrable
                ? "its unique key \(names) is deferrable, so \(mode) cannot recognize rows by it"
                : "it has no unique key of exactly the columns \(names) over all rows") + "; \(Self.list(arbiters))",
            hint: Self.advice(arbiters)
        )
        return nil
    }

    private static func list(_ keys: [UniqueKey]) -> String {
        guard !keys.isEmpty else { return "it has no other unique key" }
        let lists = keys.map(\.columnList).joined(separator: ", ")
        return keys.count == 1 ? "its unique key is \(lists)" : "its unique keys are \(lists)"
    }

    private static func advice(_ keys: [UniqueKey]) -> String {
        keys.isEmpty
            ? "create a unique index, or use 'mode: append' or 'mode: replace'"
            : "name one of them in 'conflict_columns'"
    }

    /// Without the columns of the key no row would be recognized.
    private mutating func checkColumns(_ merge: RowMerge) {
        guard let key = merge.key else { return }
        let known = Set(merge.columns.map { ByteKey($0) })
        let generated = Set(job.relation.columns.filter(\.isGenerated).map { ByteKey($0.name) })
        let missing = key.members.filter { !known.contains($0.key) && !generated.contains($0.key) }
        guard !missing.isEmpty else { return }
        let names = missing.map { "\"\($0.name)\"" }.joined(separator: ", ")
        refuse(
            "\(job.file.path) has no column \(names), which is in the key \(key.columnList)",
            hint: "export it, or name another key in 'conflict_columns'"
        )
    }

    private mutating func describe(_ merge: RowMerge) {
        let rows =
            merge.key.map { "rows whose key \($0.columnList) is there" }
            ?? "rows that have a unique key of one that is there"
        findings.append(.note("\(rows) are \(job.mode == .upsert ? "updated" : "skipped")", of: job.id))
        guard job.mode == .upsert else { return }
        let inKey = Set(merge.key?.members.map(\.key) ?? [])
        let always = job.relation.columns.filter(\.isAlwaysIdentity).map { ByteKey($0.name) }
        let kept = merge.columns.filter { always.contains(ByteKey($0)) && !inKey.contains(ByteKey($0)) }
        guard !kept.isEmpty else { return }
        findings.append(
            .warning(
                "rows that are updated keep their values of \(kept.map { "\"\($0)\"" }.joined(separator: ", ")), "
                    + "GENERATED ALWAYS AS IDENTITY, which the server does not update",
                of: job.id
            )
        )
    }
}
