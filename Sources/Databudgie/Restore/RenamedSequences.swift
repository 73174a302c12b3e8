import Storage

/// Finds the sequences of a table whose names in the target are not those in the file of values.
struct RenamedSequences {
    let relation: Relation
    let catalog: DatabaseCatalog
    /// The table has another name in the file's database, so what the keys name there is not what they name here.
    var isOfRenamedTable = false

    /// A sequence that stands for a key of the file.
    struct Match {
        let tableSequence: TableSequence
        let reason: String
        /// The key's name says which column it is of.
        let isCertain: Bool
    }

    /// Matches what is left of both sides.
    ///
    /// The server names the sequence of a serial or identity column `TABLE_COLUMN_seq`, and a table or sequence that is
    /// renamed later leaves the name as it is; so the column is in the key. When one key and one sequence are left, they
    /// belong together, unless the key is the name of another sequence in the target.
    /// - Parameters:
    ///   - keys: Keys that are not a name of any of the table's sequences.
    ///   - sequences: Sequences of the table that no key names.
    /// - Returns: What was found, by key.
    func matches(keys: [String], sequences: [TableSequence]) -> [ByteKey: Match] {
        var found: [ByteKey: Match] = [:]
        var rest = sequences
        for key in keys {
            let name = Self.lastIdentifier(key)
            let candidates = rest.filter { sequence in sequence.columns.contains { Self.isName(name, of: $0) } }
            // `a_id` rather than `id`, whose names end in the same way.
            let sequence = candidates.max { Self.longestColumn($0) < Self.longestColumn($1) }
            guard let sequence, let column = sequence.columns.first else { continue }
            rest.removeAll { $0.oid == sequence.oid }
            found[ByteKey(key)] = Match(
                tableSequence: sequence,
                reason: "which has the same column, \(column)",
                isCertain: true
            )
        }
        let unknown = keys.filter { found[ByteKey($0)] == nil }
        if let key = unknown.first, unknown.count == 1, let sequence = rest.first, rest.count == 1, !isOfOther(key) {
            let reason = "the only sequence of the table that the file does not name"
            found[ByteKey(key)] = Match(tableSequence: sequence, reason: reason, isCertain: false)
        }
        return found
    }

    private func isOfOther(_ key: String) -> Bool {
        !isOfRenamedTable
            && catalog.relations.contains { other in
                other.sequences.contains { sequence in sequence.fileKeys.contains { $0.hasBytes(of: key) } }
            }
    }

    private static func longestColumn(_ sequence: TableSequence) -> Int {
        sequence.columns.map(\.utf8.count).max() ?? 0
    }

    /// Whether the server would give a sequence of a column such a name: a number may follow where names were taken.
    private static func isName(_ name: [UInt8], of column: String) -> Bool {
        let suffix = Array("_\(column)_seq".utf8)
        let end = name.count - name.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        return name[..<end].count > suffix.count && name[..<end].suffix(suffix.count).elementsEqual(suffix)
            || name.count > suffix.count && name.suffix(suffix.count).elementsEqual(suffix)
    }

    /// The name behind the last dot of a key, without quotes.
    private static func lastIdentifier(_ key: String) -> [UInt8] {
        let bytes = Array(key.utf8)
        let quote = UInt8(ascii: "\"")
        guard bytes.last == quote else { return Array(bytes.split(separator: UInt8(ascii: ".")).last ?? []) }
        var name: [UInt8] = []
        var index = bytes.count - 2
        while index >= 0 {
            if bytes[index] == quote {
                guard index > 0, bytes[index - 1] == quote else { break }
                index -= 1
            }
            name.append(bytes[index])
            index -= 1
        }
        return name.reversed()
    }
}
