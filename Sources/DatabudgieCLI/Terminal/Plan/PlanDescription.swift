import Databudgie

/// What `databudgie plan` shows to people.
struct PlanDescription {
    private let plan: RunPlan

    /// Describes a plan.
    init(_ plan: RunPlan) {
        self.plan = plan
    }

    /// The description line by line.
    ///
    /// - Parameter isVerbose: Names are listed where there are many.
    /// - Returns: Lines that are harmless to a terminal.
    func lines(isVerbose: Bool) -> [String] {
        let names = NameList(isVerbose: isVerbose)
        let parts =
            [head, table, PlanSubsetLines(plan).lines] + plan.groups.map { PlanGroupLines(plan, $0).lines(names) }
            + [cycles(names) + triggers(names) + definitions(names) + excluded(names) + locks(names)]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private var head: [String] {
        let verb = plan.kind == .backup ? "backup of" : "restore into"
        var entries: [(String, String)] = [(verb, plan.database)]
        switch (plan.set, plan.kind) {
        case (let set?, .backup): entries.append(("set", "\(set.id), recorded in \(set.catalog)"))
        case (let set?, .restore):
            let parts = [set.tables.map { HumanNumber.count($0, "table") }, set.reason].compactMap(\.self)
            entries.append(("set", "\(set.id) of \(set.catalog) (\(parts.joined(separator: ", ")))"))
        case (nil, .backup): entries.append(("set", "none is recorded"))
        case (nil, .restore): entries.append(("set", "none: files are chosen by their names"))
        }
        if let manifest = plan.manifest {
            entries.append(("manifest", manifest + (plan.resumedRun.map { ", resuming run \($0)" } ?? "")))
        }
        if plan.kind == .restore {
            entries.append(
                ("transactions", plan.isOneTransaction ? "one for all tables" : "one for each group of tables")
            )
        }
        let width = entries.map(\.0.terminalWidth).max() ?? 0
        return entries.map { "\($0.paddedRight(to: width))  \($1)".escapedForTerminal }
    }

    private var table: [String] {
        guard !plan.tables.isEmpty else { return ["There is nothing to do."] }
        let hasSequences = plan.tables.contains { !$0.sequences.isEmpty }
        let isRestore = plan.kind == .restore
        var header: [(name: String, side: TextTable.Side)] = [("#", .right), ("table", .left), ("rows", .right)]
        let hasSubset = plan.tables.contains { $0.subset != nil }
        if hasSubset { header += [("chosen", .right), ("linked", .right), ("of", .right)] }
        header.append((isRestore ? "file size" : "size", .right))
        if isRestore { header += [("group", .right), ("rows there", .right), ("", .left)] }
        let hasMasks = plan.tables.contains { $0.masks != nil }
        if hasSequences { header.append(("sequences", .right)) }
        if hasMasks { header.append(("masked", .left)) }
        header += [("why", .left), ("after", .left), ("file", .left)]
        var lines = TextTable(header)
        let earlier = PlanOrder(plan)
        for (number, table) in plan.tables.enumerated() {
            var cells = [
                "\(number + 1)", table.job.description + (table.storedName.map { " (from \($0))" } ?? ""),
                Self.rows(table.rows, table.job),
            ]
            if hasSubset { cells += PlanSubsetLines.cells(table.subset) }
            cells.append(table.bytes.map(HumanNumber.bytes) ?? (table.subset == nil ? "unknown" : "-"))
            if isRestore { cells += Self.cells(table.load) }
            if hasSequences { cells.append(table.sequences.isEmpty ? "" : "\(table.sequences.count)") }
            if hasMasks { cells.append(table.masks.map { "\($0.masked) of \($0.columns)" } ?? "") }
            cells += [
                table.reason.description, NameList(isVerbose: false).text(earlier.tables(before: table.job)),
                table.file,
            ]
            lines.add(cells)
        }
        return lines.lines + [totals]
    }

    private static func rows(_ rows: Int?, _ job: JobID) -> String {
        job.subject == .sequences ? "-" : rows.map { HumanNumber.count($0) } ?? "unknown"
    }

    private static func cells(_ load: RunPlan.Load?) -> [String] {
        guard let load else { return ["", "", "only its sequences are set"] }
        let existing = load.existingRows.map { HumanNumber.count($0) } ?? "unknown"
        let effect =
            switch load.mode {
            case _ where load.isNew: "the table is created"
            case .append: "kept"
            case .replace: load.truncate == .cascade ? "removed, by cascade" : "removed"
            case .upsert: "updated by \(load.keyColumns.joined(separator: ", "))"
            case .skipExisting:
                load.keyColumns.isEmpty ? "kept, by any key" : "kept, by \(load.keyColumns.joined(separator: ", "))"
            }
        return ["\(load.group + 1)", load.isNew ? "-" : existing, effect]
    }

    private var totals: String {
        let rows = plan.tables.filter { $0.job.subject != .sequences }.map(\.rows)
        let sizes = plan.tables.map(\.bytes)
        let isExact = plan.kind == .restore
        var parts = [
            HumanNumber.count(plan.tables.count, "table"),
            (isExact ? "" : "about ") + HumanNumber.count(rows.compactMap(\.self).reduce(0, +), "row"),
        ]
        // Of a subset only the sizes of whole tables are known.
        let hasSizes = sizes.contains { $0 != nil } || plan.tables.allSatisfy { $0.subset == nil }
        if hasSizes { parts.append(HumanNumber.bytes(sizes.compactMap(\.self).reduce(0, +))) }
        let sizeless = plan.tables.count { $0.bytes == nil && $0.subset == nil }
        let unknown = [("rows", rows.count { $0 == nil }), ("sizes", sizeless)].filter { $0.1 > 0 }
            .map { "\($0) unknown for \(HumanNumber.count($1))" }
        return parts.joined(separator: ", ") + (unknown.isEmpty ? "" : " (\(unknown.joined(separator: ", ")))")
    }

    /// A restore says it of the group that a cycle is in.
    private func cycles(_ names: NameList) -> [String] {
        guard plan.kind == .backup else { return [] }
        return plan.cycles.map { "in a cycle of foreign keys: \(names.text($0.map(\.description)))".escapedForTerminal }
    }

    private func triggers(_ names: NameList) -> [String] {
        plan.tables.flatMap { table -> [String] in
            guard let load = table.load else { return [] }
            let parts = [("are off for", load.disabledTriggers), ("fire for", load.firingTriggers)]
            return parts.filter { !$0.1.isEmpty }.map { verb, triggers in
                "triggers that \(verb) \(table.job): \(names.text(triggers))".escapedForTerminal
            }
        }
    }

    private func definitions(_ names: NameList) -> [String] {
        let (replaced, others) = (plan.definitions.filter(\.replaces), plan.definitions.filter { !$0.replaces })
        let verb = plan.kind == .backup ? "written" : "created"
        return [("definitions that are \(verb)", others), ("definitions that replace what is there", replaced)]
            .filter { !$0.1.isEmpty }.map { "\($0): \(names.text($1.map(\.table)))".escapedForTerminal }
    }

    private func excluded(_ names: NameList) -> [String] {
        guard !plan.excluded.isEmpty else { return [] }
        let count = "excluded: \(HumanNumber.count(plan.excluded.count, "table"))"
        guard names.isVerbose else { return [count + " (-v names them)"] }
        return [count] + plan.excluded.map { "  \($0.table): \($0.reason)".escapedForTerminal }
    }

    private func locks(_ names: NameList) -> [String] {
        let modes: [(mode: String, effect: String)] = [
            ("ACCESS SHARE", "others read and write, but ALTER, DROP and TRUNCATE wait"),
            ("ROW SHARE", "others read and write"), ("ROW EXCLUSIVE", "others read and write"),
            ("SHARE ROW EXCLUSIVE", "others read, and wait to write"), ("ACCESS EXCLUSIVE", "others wait"),
        ]
        let tables = Dictionary(grouping: plan.locks, by: \.mode)
        return modes.compactMap { mode, effect in
            tables[mode].map { "\(mode) locks (\(effect)): \(names.text($0.map(\.table)))".escapedForTerminal }
        }
    }
}

/// Names in a sentence, of which only the first ones are shown unless all are wanted.
struct NameList {
    let isVerbose: Bool

    /// The names with commas.
    func text(_ names: [String]) -> String {
        guard !isVerbose, names.count > 4 else { return names.joined(separator: ", ") }
        return names.prefix(3).joined(separator: ", ") + " and \(HumanNumber.count(names.count - 3)) more"
    }
}

/// What comes before each table of a plan because of foreign keys.
struct PlanOrder {
    private let tables: [JobID: [String]]

    init(_ plan: RunPlan) {
        var seen: Set<[JobID]> = []
        let positions = Dictionary(
            plan.tables.enumerated().map { ($0.element.job, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
        let keys = plan.foreignKeys.filter { key in
            guard let place = positions[key.job], let other = positions[key.referenced], other < place else {
                return false
            }
            return seen.insert([key.job, key.referenced]).inserted
        }
        tables = Dictionary(grouping: keys, by: \.job).mapValues { $0.map(\.referenced.description) }
    }

    /// The tables that a table refers to, without those of a cycle that come later.
    func tables(before job: JobID) -> [String] { tables[job, default: []] }
}
