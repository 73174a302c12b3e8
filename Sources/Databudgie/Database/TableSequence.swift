import Postgres

/// A sequence that belongs to a table: one of its columns owns it, is an identity, or has it in its default.
struct TableSequence: Sendable, Hashable {
    let oid: Relation.OID
    let name: QualifiedName
    /// What the sequence may be set to, both ends included.
    let bounds: ClosedRange<Int64>
    /// Whether the connected role can read its value (SELECT on the sequence, USAGE on its schema).
    let isReadable: Bool
    /// Whether the connected role can set its value (UPDATE on the sequence).
    let isSettable: Bool
    /// Whether the connected role can alter it, as its owner or a member of the owning role.
    var isOwned = false
    /// Whether its values fall, because it has a negative increment.
    var isDescending = false
    /// The columns of the table that own it or have it in their default.
    var columns: [String] = []

    /// The name in a file of values: without its schema when that is `public`, with quotes when SQL needs them.
    ///
    /// databudgie 2.9.3 puts the name between single quotes into `SELECT setval('…', …)`, so one inside is doubled: by
    /// bytes, because the server would not take a quote and the combining mark after it for a single character.
    var fileKey: String {
        let identifiers = name.schema == "public" ? [name.name] : [name.schema, name.name]
        let key = identifiers.map(Self.quotedIfNeeded).joined(separator: ".")
        let quote = UInt8(ascii: "'")
        return String(decoding: key.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }, as: UTF8.self)
    }

    /// All spellings that stand for the sequence in a file; databudgie 2.9.3 writes names without any quotes.
    var fileKeys: [String] {
        let plain = name.schema == "public" ? [name.name, name.description] : [name.description]
        return [fileKey, name.quoted] + plain
    }

    /// As the server reads a name that is given as a string: upper case is folded outside quotes, in ASCII only.
    private static func quotedIfNeeded(_ name: String) -> String {
        let isPlain = name.utf8.enumerated().allSatisfy { offset, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), 0x80...: true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "$"): offset > 0
            default: false
            }
        }
        return isPlain ? name : quotedIdentifier(name)
    }
}

extension DatabaseCatalog {
    /// The sequences that move when rows are inserted into a table: its own, and those of its partitions.
    func sequences(of relation: Relation) -> [TableSequence] {
        guard relation.kind == .partitionedTable else { return relation.sequences }
        var seen: Set<Relation.OID> = []
        return ([relation] + descendants(of: relation.oid).compactMap { self[$0] }).flatMap(\.sequences)
            .filter { seen.insert($0.oid).inserted }
    }
}
