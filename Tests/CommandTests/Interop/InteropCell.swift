import DatabudgieTestSupport
import Foundation
import Postgres
import Storage

/// One combination of what the tools may meet in each other's backups.
struct InteropCell: Sendable {
    /// Who writes the backup that the other one restores.
    enum Writer: String, CaseIterable, Sendable {
        case python = "2.9.3"
        case ours = "this"
    }

    let writer: Writer
    let isOnS3: Bool
    let isCompressed: Bool
    let hasDefinitions: Bool

    static let all = Writer.allCases.flatMap { writer in
        [false, true].flatMap { isOnS3 in
            [false, true].flatMap { isCompressed in
                [false, true].map { hasDefinitions in
                    InteropCell(
                        writer: writer,
                        isOnS3: isOnS3,
                        isCompressed: isCompressed,
                        hasDefinitions: hasDefinitions
                    )
                }
            }
        }
    }

    var reader: Writer { writer == .ours ? .python : .ours }

    /// The tables that databudgie 2.9.3 can do its part for.
    var tables: [String] {
        InteropSchema.tables.filter { table in
            switch (table, writer) {
            // A line `\.` ends the data before Postgres 18, which 2.9.3 does not know; it changes CR LF into LF.
            case ("public.tricky", .ours): false
            // It gives the name to pg_dump without quotes, and leaves sequences out that no column owns.
            case ("public.\"Odd Table\"", .python), ("public.counted", .python): !hasDefinitions
            default: true
            }
        }
    }

    /// What the next value of a sequence has to be, given that of the source; nil where the sequence is not there.
    func expectedNextValue(_ sequence: String, source: String) -> String? {
        switch (writer, sequence) {
        case (.ours, _): source
        // Its files say 1 for a sequence that has not given out its 1, and it looks at sequences alone that columns own.
        case (.python, "public.fresh_id_seq"): "2"
        case (.python, "shop.sale_id_seq"): "1"
        case (.python, "public.tally"): hasDefinitions ? nil : "1"
        case (.python, _): source
        }
    }

    /// The configuration for both tools.
    ///
    /// - Parameters:
    ///   - source: The database to back up.
    ///   - target: The database to restore to.
    ///   - root: The folder of all files.
    /// - Returns: YAML.
    func configuration(source: ConnectionParameters, target: ConnectionParameters, root: String) -> String {
        let entries = tables.map { table in
            let name = table.replacing("\"", with: "")
            let query: String? =
                switch (table, writer) {
                // 2.9.3 puts the bare name into its query, and fills generated columns.
                case ("public.\"Odd Table\"", _): #"select * from public.\"Odd Table\""#
                case ("public.computed", .ours): "select id, word from public.computed"
                default: nil
                }
            return "  - {name: \"\(name)\"" + (query.map { ", query: \"\($0)\"" } ?? "") + "}"
        }
        return """
            backup: {url: \(Self.url(source))}
            restore: {url: \(Self.url(target))}
            location: "\(root)/{table}"
            ddl: {enabled: \(hasDefinitions), location: "\(root)/ddl"}
            \(isCompressed ? "compression: gzip" : "")
            tables:
            \(entries.joined(separator: "\n"))

            """
    }

    /// A mapping, as neither tool's URL has a place for the path of a socket that the other one reads.
    private static func url(_ parameters: ConnectionParameters) -> String {
        let names = [("host", "host"), ("port", "port"), ("user", "username"), ("dbname", "database")]
        let values = names.compactMap { keyword, name in parameters.keywords[keyword].map { (name, $0) } }
        let list = values.map { $0 == "port" ? "\($0): \($1)" : "\($0): \"\($1)\"" }
        return "{drivername: postgresql+psycopg, " + list.joined(separator: ", ") + "}"
    }
}
