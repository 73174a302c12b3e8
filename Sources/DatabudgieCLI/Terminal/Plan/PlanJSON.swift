import Databudgie

/// A plan as a JSON document, for `plan --json`.
///
/// Keys are snake_case and stay as they are from version to version; new ones may be added.
enum PlanJSON {
    /// The document with a line break at its end.
    static func text(_ plan: RunPlan) -> String {
        // Nothing in the document can fail to encode: no infinite numbers, no custom encoding.
        ((try? JSONDocument.text(Document(plan))) ?? "{}") + "\n"
    }

    private struct Document: Encodable {
        let action: String
        let database: String
        let set: Set?
        let manifest: String?
        let resumedRun: Int?
        let transaction: String?
        let tables: [Table]
        let groups: [Group]?
        let cycles: [[String]]
        let definitions: [Definition]
        let excluded: [Exclusion]
        let withoutIndex: [String]?
        let locks: [Lock]
        let skipped: [Skipped]
        let problems: [Problem]
        let warnings: [Problem]

        init(_ plan: RunPlan) {
            let isRestore = plan.kind == .restore
            action = plan.kind.rawValue
            database = plan.database
            set = plan.set.map { Set(id: $0.id, catalog: $0.catalog, reason: $0.reason, tables: $0.tables) }
            (manifest, resumedRun) = (plan.manifest, plan.resumedRun)
            transaction = isRestore ? (plan.isOneTransaction ? "all" : "group") : nil
            let keys = Dictionary(grouping: plan.foreignKeys, by: \.job)
            tables = plan.tables.enumerated().map { Table(number: $0 + 1, $1, keys: keys[$1.job] ?? []) }
            groups = isRestore ? plan.groups.map(Group.init) : nil
            cycles = plan.cycles.map { $0.map(\.description) }
            definitions = plan.definitions.map {
                Definition(table: $0.table, file: $0.file, replaces: isRestore ? $0.replaces : nil)
            }
            excluded = plan.excluded.map { Exclusion(table: $0.table, reason: $0.reason) }
            withoutIndex = plan.columnsWithoutIndex.isEmpty ? nil : plan.columnsWithoutIndex
            locks = plan.locks.map { Lock(table: $0.table, mode: $0.mode) }
            skipped = plan.skipped.map { Skipped(table: $0.job.description, reason: $0.reason) }
            problems =
                plan.failures.map { Problem(table: $0.job.description, message: $0.message, hint: $0.hint) }
                + plan.findings.filter { $0.kind == .problem }.map(Problem.init)
            warnings = plan.findings.filter { $0.kind == .warning }.map(Problem.init)
        }
    }

    private struct Set: Encodable {
        let id: String
        let catalog: String
        let reason: String?
        let tables: Int?
    }

    private struct Definition: Encodable {
        let table: String
        let file: String?
        let replaces: Bool?
    }

    private struct Exclusion: Encodable {
        let table: String
        let reason: String
    }

    private struct Lock: Encodable {
        let table: String
        let mode: String
    }

    private struct Skipped: Encodable {
        let table: String
        let reason: String
    }

    private struct Problem: Encodable {
        let table: String?
        let message: String
        let hint: String?

        init(table: String?, message: String, hint: String?) {
            (self.table, self.message, self.hint) = (table, message, hint)
        }

        init(_ finding: Finding) {
            self.init(table: finding.table, message: finding.message, hint: finding.hint)
        }
    }

    private struct Key: Encodable {
        let table: String
        let columns: [String]
        let constraint: String
        var references: String?

        init(_ key: KeyReference, references: String? = nil) {
            (table, columns, constraint) = (key.table, key.columns, key.constraint)
            self.references = references
        }
    }

    private struct Reason: Encodable {
        let kind: String
        let text: String
        var key: Key?

        init(_ reason: SelectionReason) {
            (kind, text) = (reason.kind, reason.description)
            if case .reference(let reference) = reason { key = Key(reference) }
        }
    }

    private struct Table: Encodable {
        let number: Int
        let table: String
        let subject: String
        let schema: String?
        let name: String?
        let kind: String?
        let storedName: String?
        let reason: Reason
        let place: String
        let query: String?
        let rows: Int?
        let bytes: Int64?
        let file: String
        let sequences: [String]
        let sequencesFile: String?
        let foreignKeys: [Key]
        let masks: Masks?
        let load: Load?
        let subset: Subset?

        init(number: Int, _ table: RunPlan.Table, keys: [RunPlan.Key]) {
            self.number = number
            self.table = table.job.description
            subject = table.job.subject.rawValue
            (schema, name, kind) = (table.schema, table.name, table.relationKind)
            storedName = table.storedName
            (reason, place) = (Reason(table.reason), table.place)
            (query, rows, bytes, file) = (table.query, table.rows, table.bytes, table.file)
            (sequences, sequencesFile) = (table.sequences, table.sequencesFile)
            foreignKeys = keys.map { Key($0.key, references: $0.referenced.description) }
            masks = table.masks.map(Masks.init)
            load = table.load.map(Load.init)
            subset = table.subset.map(Subset.init)
        }
    }

    private struct Subset: Encodable {
        struct Source: Encodable {
            let kind: String
            let reference: String?
            let rows: Int?
        }

        let chosen: Int
        let linked: Int?
        let total: Int?
        let sources: [Source]

        init(_ rows: RunPlan.SubsetRows) {
            (chosen, linked, total) = (rows.chosen, rows.linked, rows.total)
            sources = rows.sources.map { Source(kind: $0.kind.rawValue, reference: $0.reference, rows: $0.rows) }
        }
    }

    private struct Masks: Encodable {
        let columns: Int
        let masked: Int
        let kept: Int
        let unclassified: Int

        init(_ masks: RunPlan.Masks) {
            (columns, masked, kept) = (masks.columns, masks.masked, masks.kept)
            unclassified = columns - masked - kept
        }
    }

    private struct Load: Encodable {
        let group: Int
        let mode: String
        let truncate: String
        let keyColumns: [String]
        let maxRejects: Int
        let existingRows: Int?
        let new: Bool
        let firingTriggers: [String]
        let disabledTriggers: [String]

        init(_ load: RunPlan.Load) {
            group = load.group + 1
            (mode, truncate) = (load.mode.rawValue, load.truncate.rawValue)
            (keyColumns, maxRejects) = (load.keyColumns, load.maxRejects)
            (existingRows, new) = (load.existingRows, load.isNew)
            (firingTriggers, disabledTriggers) = (load.firingTriggers, load.disabledTriggers)
        }
    }

    private struct Group: Encodable {
        struct Bond: Encodable {
            let kind: String
            let tables: [String]
            let text: String
        }

        let number: Int
        let tables: [String]
        let bonds: [Bond]
        let truncated: [String]
        let cascaded: [String]
        let mustBeEmpty: [String]
        let reach: [Key]
        let deferredKeys: [Key]
        let after: [Int]
        let locks: [Lock]

        init(_ group: RunPlan.Group) {
            number = group.number + 1
            tables = group.tables.map(\.description)
            bonds = group.bonds.map { Bond(kind: $0.kind.rawValue, tables: $0.tables, text: $0.description) }
            (truncated, cascaded, mustBeEmpty) = (group.truncated, group.cascaded, group.emptyReferrers)
            reach = group.reach.map { Key($0.key, references: $0.referenced) }
            deferredKeys = group.deferredKeys.map { Key($0) }
            after = group.references.map { $0 + 1 }
            locks = group.locks.map { Lock(table: $0.table, mode: $0.mode) }
        }
    }
}
