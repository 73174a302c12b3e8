import Postgres

/// An entry with one table that it stands for, or with its query alone: what becomes a job.
struct SelectedEntry {
    let entry: BackupEntry
    let relation: Relation?
    let sequences: [TableSequence]
    /// Why it is part of the backup.
    let selection: SelectionReason
    /// The table whose foreign keys led to this one.
    let referrer: QualifiedName?

    init(
        entry: BackupEntry,
        relation: Relation?,
        selection: SelectionReason,
        sequences: [TableSequence] = [],
        referrer: QualifiedName? = nil
    ) {
        self.entry = entry
        self.selection = selection
        self.relation = relation
        self.sequences = sequences
        self.referrer = referrer
    }

    /// The same as a sentence with the place of the entry.
    var reason: String {
        let place = entry.options.place
        if let referrer, let relation {
            return "the \(relation.kind.noun) \(relation.name) is referred to by \(referrer) (\(place))"
        }
        guard let name = entry.options.name else { return "an unnamed query (\(place))" }
        guard let relation else { return "the query of '\(name)', which is not a table (\(place))" }
        return "the \(relation.kind.noun) \(relation.name) is matched by '\(name)' (\(place))"
    }
}

extension BackupEntry {
    /// Names no table: its query and location are both explicit and have no `{table}`.
    var isFreeOfItsTable: Bool {
        hasExplicitQuery && options.hasExplicitLocation && !query.variables.contains(.table)
            && !options.location.variables.contains(.table)
    }
}
