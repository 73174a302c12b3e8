import Databudgie
import Foundation

/// What `databudgie show` says of a set.
struct SetDescription {
    private let stored: StoredSet
    private var record: SetRecord { stored.record }

    /// Describes a set.
    ///
    /// - Parameter set: The set; only the tables in its record count.
    init(_ set: StoredSet) {
        stored = set
    }

    /// The description line by line.
    ///
    /// - Parameter showsColumns: Each table is followed by its columns and the values of its sequences.
    /// - Returns: Lines that are harmless to a terminal.
    func lines(showsColumns: Bool) -> [String] {
        let failures = record.failures.map { "failed  \($0.table): \($0.message)" }
        let parts =
            [head, tables] + (showsColumns ? record.tables.map(Self.columns) : [])
            + [definitions, failures, record.warnings.map { "warning  \($0)" }]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private var head: [String] {
        let width = facts.map(\.name.terminalWidth).max() ?? 0
        return facts.map { "\($0.name.paddedRight(to: width))  \($0.value)".escapedForTerminal }
    }

    /// What is said of the set as a whole.
    var facts: [(name: String, value: String)] {
        let time = Date.ISO8601FormatStyle(timeZone: .gmt)
        // Records have whole seconds.
        let seconds = record.finishedAt.timeIntervalSince(record.startedAt)
        let duration = seconds < 1 ? "within a second" : "after \(HumanNumber.wholeSeconds(seconds))"
        let entries: [(String, String?)] = [
            ("set", record.id),
            ("catalog", "\(stored.catalog)"),
            ("status", status),
            ("consistency", consistency),
            ("source", record.source.map(Self.source)),
            ("started", record.startedAt.formatted(time)),
            ("finished", "\(record.finishedAt.formatted(time)), \(duration)"),
            ("written by", record.tool),
            ("settings", record.config.map { "SHA-256 \($0)" }),
            ("contents", contents),
            ("subset", record.subset.map(Self.subset)),
        ]
        return entries.compactMap { name, text in text.map { (name, $0) } }
    }

    private var status: String {
        if let newer = record.supersededBy { return "superseded: files of it were replaced by those of \(newer)" }
        switch record.status {
        case .complete: return "complete"
        case .partial: return "partial: \(HumanNumber.count(record.failures.count, "table")) failed"
        }
    }

    private var consistency: String {
        switch record.consistency {
        case .snapshot: "snapshot: all rows are from one moment"
        case .mixed: "mixed: files of several moments"
        }
    }

    private static func source(_ source: SetRecord.Source) -> String {
        let parts = [
            source.database, "Postgres \(source.serverVersion)", source.encoding,
            source.systemIdentifier.map { "system \($0)" }, source.snapshot.map { "snapshot \($0)" },
            source.walPosition.map { "WAL \($0)" },
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    private var contents: String {
        let totals = record.totals
        let parts = [
            HumanNumber.count(totals.tables, "table"), totals.rows.map { HumanNumber.count($0, "row") },
            totals.bytes.map { "\(HumanNumber.bytes($0)) of CSV" }, "\(HumanNumber.bytes(totals.fileBytes)) as stored",
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    /// That it is not everything is worth a line.
    private static func subset(_ subset: SetRecord.Subset) -> String {
        let tenants = subset.tenants.map { ", tenants of \($0)" } ?? ""
        return "from \(subset.start.joined(separator: ", ")): \(HumanNumber.count(subset.chosen, "row")) chosen, "
            + "\(HumanNumber.count(subset.linked)) linked\(tenants)"
    }

    private var tables: [String] {
        guard !record.tables.isEmpty else { return [] }
        var table = TextTable([
            ("table", .left), ("rows", .right), ("CSV size", .right), ("file size", .right), ("columns", .right),
            ("sequences", .right), ("file", .left),
        ])
        for entry in record.tables {
            table.add([
                entry.label, entry.rows.map { HumanNumber.count($0) } ?? "-", entry.bytes.map(HumanNumber.bytes) ?? "-",
                entry.file.map { HumanNumber.bytes($0.bytes) } ?? "-",
                entry.columns.isEmpty && entry.rows == nil ? "-" : "\(entry.columns.count)",
                entry.sequencesFile == nil ? "" : entry.sequences.isEmpty ? "-" : "\(entry.sequences.count)",
                entry.file?.path ?? entry.sequencesFile?.path ?? "",
            ])
        }
        return table.lines
    }

    private static func columns(_ table: SetRecord.Table) -> [String] {
        var lines = TextTable([(table.label.escapedForTerminal, .left), ("type", .left), ("", .left)])
        for column in table.columns {
            let facts = [
                column.notNull == true ? "not null" : nil, column.identity == true ? "identity" : nil,
                column.generated == true ? "generated" : nil,
            ]
            lines.add([column.name, column.type, facts.compactMap(\.self).joined(separator: ", ")])
        }
        for sequence in table.sequences {
            let value = "\(sequence.lastValue)\(sequence.isCalled ? "" : ", not returned yet")"
            lines.add(["\(sequence.schema).\(sequence.name)", "sequence", value])
        }
        return lines.lines + (table.query.map { ["query: \($0)".escapedForTerminal] } ?? [])
    }

    private var definitions: [String] {
        guard !record.definitions.isEmpty else { return [] }
        var table = TextTable([("definitions", .left), ("size", .right)])
        for file in record.definitions { table.add([file.path, HumanNumber.bytes(file.bytes)]) }
        return table.lines
    }
}
