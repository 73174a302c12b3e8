import Foundation
import Postgres

/// The definitions in one file, in the order in which they can be run.
///
/// The file is plain SQL that psql and databudgie 2.9.3 run as well. What a restore needs beyond that is in comment lines,
/// `-- databudgie {…}`: one at the top, and one before each definition.
struct DefinitionScript: Sendable, Equatable {
    /// The timestamp of the backup that wrote the file; nil for a file of another tool.
    var timestamp: String?
    /// The schemas and tables whose files have to be run too.
    var requires: [Unit] = []
    /// The names and globs, `schema.table`, that the backup found its tables by; empty when the file does not say it.
    var selection: [String] = []
    var definitions: [Definition]

    /// What a file is about: a table or view, the other objects of a schema, or what belongs to the database as a whole.
    struct Unit: Codable, Sendable {
        let schema: String
        var table: String?

        /// No schema has an empty name.
        static let database = Unit(schema: "")

        /// What identifies the unit, and replaces `{table}` in the file's path unless it has a twin; no two units have the same.
        var component: PathComponent {
            table.map { PathComponent(QualifiedName(schema: schema, name: $0)) } ?? PathComponent(schema: schema)
        }
    }

    /// Adds another script of the same backup; what both have is in it once.
    mutating func merge(_ other: DefinitionScript) {
        var merged = Dictionary(definitions.map { ($0.rank, $0) }, uniquingKeysWith: { first, _ in first })
        for definition in other.definitions {
            // What one of the two needs is not optional.
            let isOptional = definition.isOptional && merged[definition.rank]?.isOptional != false
            merged[definition.rank, default: definition].isOptional = isOptional
        }
        definitions = merged.values.sorted { $0.rank < $1.rank }
        selection = Set((selection + other.selection).map { ByteKey($0) }).sorted().map(\.string)
        requires = Set(requires + other.requires).sorted { ByteKey($0.component.text) < ByteKey($1.component.text) }
    }
}

extension DefinitionScript.Unit: Hashable {
    /// Whether two units are the same to the server, which compares bytes.
    static func == (left: Self, right: Self) -> Bool {
        left.schemaBytes == right.schemaBytes && left.tableBytes == right.tableBytes
    }

    /// Feeds the bytes of both names to a hasher.
    func hash(into hasher: inout Hasher) {
        hasher.combine(schemaBytes)
        hasher.combine(tableBytes)
    }

    private var schemaBytes: [UInt8] { Array(schema.utf8) }
    private var tableBytes: [UInt8]? { table.map { Array($0.utf8) } }
}

// MARK: - Text

/// The content of the comment line at the top.
private struct ScriptMark: Codable {
    var backup: String
    var requires: [DefinitionScript.Unit]
    var selection: [String]?
}

/// What the comment line before a definition says.
private struct DefinitionMark: Codable {
    var order: Int
    var section: Definition.Section
    var type: String
    var schema: String
    var table: String?
    var of: Int?
    var partitions: [DefinitionScript.Unit]?
    var optional: Bool?
    var populated: Bool?
}

extension DefinitionScript {
    private static let mark = Array("-- databudgie {".utf8)

    /// A literal, a quoted identifier or a comment of a file has no end, so its definitions cannot be distinguished.
    struct Damage: Error {}

    /// The file's text.
    ///
    /// - Throws: When JSON cannot hold a name.
    func text() throws -> String {
        var text = try Self.line(
            ScriptMark(
                backup: timestamp ?? "",
                requires: requires,
                selection: selection.isEmpty ? nil : selection
            )
        )
        // For psql: strings mean what they meant to pg_dump, and functions may name tables that come later.
        text += "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
        text += "SET check_function_bodies = false;\n"
        for definition in definitions { text += try "\n" + Self.text(definition) }
        return text
    }

    /// The file's text, when it is certain to be read back as it is meant: with these definitions, each with its own SQL.
    ///
    /// - Throws: ``DatabudgieError`` that names the definition which would be read as another one, or as a part of one.
    func checkedText() throws -> String {
        let text = try text()
        let read = (try? DefinitionScript(text: text, of: Unit(schema: "")).definitions) ?? []
        let broken = definitions.enumerated().first { index, definition in
            !SQLStatements.isFinished(definition.sql) || index >= read.count || read[index] != definition
        }
        if let definition = broken?.element ?? (read.count == definitions.count ? nil : definitions.last) {
            throw DatabudgieError(
                .database,
                "a definition (\(definition.type)) cannot be backed up, because its file would be read as something else",
                table: definition.relation?.label ?? definition.schema,
                hint: "turn ddl off, and report this as a bug"
            )
        }
        return text
    }

    /// The comment line before a definition, and its SQL.
    private static func text(_ definition: Definition) throws -> String {
        let mark = DefinitionMark(
            order: definition.order,
            section: definition.section,
            type: definition.type,
            schema: definition.schema,
            table: definition.table,
            of: definition.attachedTo,
            partitions: definition.partitions.isEmpty ? nil : definition.partitions,
            optional: definition.isOptional ? true : nil,
            populated: definition.isPopulated ? nil : false
        )
        return try line(mark) + definition.sql + "\n"
    }

    private static func line(_ mark: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return "-- databudgie " + String(decoding: try encoder.encode(mark), as: UTF8.self) + "\n"
    }

    /// Reads a file of this program or of databudgie 2.9.3, or any other SQL without commands of psql.
    ///
    /// - Parameters:
    ///   - text: The file's content.
    ///   - unit: The schema or table that the file was looked up for, for definitions that do not name theirs.
    /// - Throws: `DecodingError` when a comment line of this program is damaged; ``Damage`` when a literal or a comment has no end.
    init(text: String, of unit: Unit) throws {
        let bytes = Array(text.utf8)
        guard bytes.starts(with: Self.mark) else {
            guard let statements = SQLStatements.split(bytes) else { throw Damage() }
            definitions = statements.enumerated().map { order, sql in
                Definition(order: order, sql: sql, of: unit)
            }
            return
        }
        let marks = try Self.marks(in: bytes)
        func decode<Mark: Decodable>(_ type: Mark.Type, _ range: Range<Int>) throws -> Mark {
            try JSONDecoder().decode(type, from: Data(bytes[range].dropFirst(Self.mark.count - 1)))
        }
        let top = try decode(ScriptMark.self, marks[0])
        (timestamp, requires, selection) = (top.backup, top.requires, top.selection ?? [])
        definitions = try marks.indices.dropFirst().map { index in
            let mark = try decode(DefinitionMark.self, marks[index])
            let end = index + 1 < marks.count ? marks[index + 1].lowerBound : bytes.count
            return Definition(
                order: mark.order,
                section: mark.section,
                type: mark.type,
                schema: mark.schema,
                table: mark.table,
                attachedTo: mark.of,
                partitions: mark.partitions ?? [],
                isOptional: mark.optional ?? false,
                isPopulated: mark.populated ?? true,
                sql: Self.withoutOuterLineBreaks(bytes[marks[index].upperBound..<end])
            )
        }
    }
}

extension DefinitionScript {
    /// The comment lines of ours.
    private static func marks(in bytes: [UInt8]) throws(Damage) -> [Range<Int>] {
        var lexer = SQLLexer(bytes)
        var marks: [Range<Int>] = []
        while let token = lexer.next() {
            // A mark has a line of its own.
            guard case .comment(let range) = token, bytes[range].starts(with: mark),
                range.lowerBound == 0 || bytes[range.lowerBound - 1] == UInt8(ascii: "\n")
            else { continue }
            marks.append(range)
        }
        guard lexer.unfinished == nil else { throw Damage() }
        return marks
    }

    private static func withoutOuterLineBreaks(_ sql: ArraySlice<UInt8>) -> String {
        var sql = sql.drop(while: SQLLexer.isLineBreak)
        while sql.last.map(SQLLexer.isLineBreak) == true { sql.removeLast() }
        return String(decoding: sql, as: UTF8.self)
    }
}
