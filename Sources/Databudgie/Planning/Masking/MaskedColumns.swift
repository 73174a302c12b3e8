import Crypto
import Foundation
import Postgres
import Storage

/// The columns of a query with masks: what is exported instead of `*`.
///
/// It becomes SQL when it is needed, because lists of names make that long.
struct MaskedColumns: Sendable {
    /// In their order, with those that are not exported, but that masks depend on.
    private let columns: [MaskedColumn]

    /// - Parameter columns: In their order; nil comes of columns without a mask.
    init?(_ columns: [MaskedColumn]) {
        guard columns.contains(where: \.isMasked) else { return nil }
        self.columns = columns
    }

    private var exported: [MaskedColumn] { columns.filter(\.isExported) }

    private var masks: [Mask] { exported.filter(\.isMasked).compactMap(\.mask) }

    /// What the set's record says of each masked column.
    var labels: [ByteKey: String] {
        Dictionary(
            exported.compactMap { column in
                column.isMasked ? column.mask.map { (ByteKey(column.name), $0.recordedLabel) } : nil
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// An expression of the user's is among the masks, so his search path and time zone count.
    var hasUserText: Bool { masks.contains(where: \.hasUserText) }

    /// Something that the user has written is part of the SQL, and the server may refuse it.
    var hasLiterals: Bool { masks.contains(where: \.hasLiterals) }

    /// Some mask depends on the key.
    var isKeyed: Bool { masks.contains(where: \.isKeyed) }

    private func compiled() -> (columns: [(name: String, expression: String?)], compiler: MaskCompiler) {
        var compiler = MaskCompiler(
            row: Dictionary(columns.map { (ByteKey($0.name), $0.value) }, uniquingKeysWith: { first, _ in first })
        )
        let values = exported.map { column -> (name: String, expression: String?) in
            guard let mask = column.mask, column.isMasked else { return (column.name, nil) }
            return (column.name, compiler.column(mask, column.value))
        }
        return (values, compiler)
    }

    /// The columns of the file, as SQL over a table with the alias `t`, nil for the column itself; and what follows the table
    /// in the FROM clause.
    var expressions: (columns: [(name: String, expression: String?)], joins: String) {
        let (columns, compiler) = compiled()
        return (columns, compiler.joins)
    }

    /// The SELECT list, for a table with the alias `t`, and what follows the table in the FROM clause.
    var sql: (list: String, joins: String) {
        let (columns, joins) = expressions
        let list = zip(exported, columns).map { column, value in
            value.expression.map { "\($0) as \(quotedIdentifier(value.name))" } ?? column.value.sql
        }
        return (list.joined(separator: ", "), joins)
    }

    /// The SELECT, to be followed by a line break.
    ///
    /// - Parameter source: Whose rows are read.
    /// - Returns: SQL.
    func select(from source: ExportQuery) -> String {
        switch source {
        case .table(let name, let isOnly): select(from: (isOnly ? "only " : "") + name.quoted)
        case .custom, .masked: select(from: "(\n\(source.sql)\n)")
        }
    }

    /// The SELECT from a table, as the FROM clause names it.
    func select(from table: String) -> String {
        let (list, joins) = sql
        return "select \(list) from \(table) as t\(joins)"
    }

    /// The settings that the SELECT reads, in the transaction that it runs in: derived keys, never the secret.
    func settings(_ key: MaskKey) -> [(name: String, value: String)] {
        compiled().compiler.contexts.enumerated().flatMap { number, context in
            let (names, pads) = (MaskCompiler.settings(of: number + 1), key.pads(of: context))
            return [(names.inner, pads.inner), (names.outer, pads.outer)]
        }
    }
}

/// A column that is exported, or that masks of others depend on.
struct MaskedColumn: Sendable {
    let name: String
    let value: MaskedValue
    /// Nil: no rule.
    let mask: Mask?
    var isExported = true

    var isMasked: Bool { mask.map { $0.kind != .keep } ?? false }
}

extension Mask {
    /// Whether what a record says of a mask says all about what it lets through.
    static func isWhole(_ label: String) -> Bool {
        !["each", "paths", "keep_paths", "redact"].contains { label.hasBytes(of: $0) }
    }

    /// What a set's record says of it: never an expression, which may hold personal data.
    var recordedLabel: String {
        guard case .sql(let text, _) = kind else { return name }
        return "sql sha256:" + hexadecimal(SHA256.hash(data: Data(text.utf8))).prefix(16)
    }
}
