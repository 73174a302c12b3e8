import Postgres
import Storage

/// Statements with which other programs read the files of a set, with the types of the columns.
public struct SetStatements: Sendable {
    /// A program.
    public enum Program: String, Sendable, CaseIterable {
        /// DuckDB: a view for each table, which reads the file when it is used.
        case duckdb
        /// psql: a table for each table, which is loaded from the file.
        case psql
    }

    private let set: StoredSet
    private let program: Program

    /// Prepares the statements.
    ///
    /// - Parameters:
    ///   - set: The set; only the tables in its record count.
    ///   - program: What runs them.
    public init(_ set: StoredSet, for program: Program) {
        self.set = set
        self.program = program
    }

    /// The statements, in the order of the record, each with a line break at its end.
    ///
    /// - Returns: Pieces of one script.
    /// - Throws: ``DatabudgieError`` when the record has a path that leads out of a folder again.
    public func pieces() throws -> [String] {
        switch program {
        case .duckdb: try DuckDBStatements(set).pieces()
        case .psql: try PsqlStatements(set).pieces()
        }
    }
}

/// Names that are taken, so that no two relations of a script have the same one.
struct TakenNames {
    private var taken: Set<[ByteKey]> = []
    private let ignoresCase: Bool

    init(ignoresCase: Bool) {
        self.ignoresCase = ignoresCase
    }

    /// A name, with a number after it when there is one like it already.
    mutating func take(_ name: String, in schema: String? = nil) -> String {
        var (candidate, number) = (name, 1)
        while !taken.insert([key(schema ?? ""), key(candidate)]).inserted {
            number += 1
            candidate = "\(name)_\(number)"
        }
        return candidate
    }

    private func key(_ name: String) -> ByteKey {
        guard ignoresCase else { return ByteKey(name) }
        // Letters of other scripts keep their case, in DuckDB too.
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return ByteKey(String(decoding: name.utf8.map { capitals.contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self))
    }
}

extension String {
    /// The text as a comment of SQL, however many lines it has.
    var asComment: String {
        let line = String(decoding: utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        return "-- \(line)\n"
    }

    /// The text between single quotes, which are doubled in it; a backslash means itself.
    var inSingleQuotes: String { "'" + replacingBytes(of: "'", with: "''") + "'" }
}

extension SetRecord.Table {
    /// Its columns are not known: its file was adopted without being read.
    var hasUnknownColumns: Bool { columns.isEmpty && rows == nil }
}
