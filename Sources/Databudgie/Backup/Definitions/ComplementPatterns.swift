import Postgres

/// Patterns of pg_dump that match all relations of a database but some.
///
/// The server finds what a pattern of one name matches by an index, but every pattern is a query of its own: thousands take
/// many seconds. Alternatives in one pattern are worse: they are compared with each relation, character by character. These
/// patterns say where a name is different from all that are kept, and most names are at their first character.
struct ComplementPatterns {
    /// One or two patterns for each schema that has something to keep, and those of all other schemas.
    let texts: [String]

    /// The most bytes of an argument of a program is 128 KiB.
    private static let limit = 100 << 10

    /// Is nil when the patterns would be too long.
    ///
    /// - Parameter kept: The relations that no pattern matches.
    init?(allBut kept: [QualifiedName]) {
        var schemas = NameTree()
        var relations: [ByteKey: NameTree] = [:]
        for name in kept {
            schemas.insert(name.schema.unicodeScalars[...])
            relations[ByteKey(name.schema), default: NameTree()].insert(name.name.unicodeScalars[...])
        }
        var texts = schemas.others.map { "\($0).*" }
        for (schema, tree) in relations.sorted(by: { $0.key < $1.key }) {
            texts += tree.others.map { "\(NameTree.quoted(schema.string.unicodeScalars)).\($0)" }
        }
        guard texts.allSatisfy({ $0.utf8.count <= Self.limit }), texts.reduce(0, { $0 + $1.utf8.count }) < 1 << 20
        else {
            return nil
        }
        self.texts = texts
    }
}

/// Names, character by character.
private struct NameTree {
    private var children: [Unicode.Scalar: NameTree] = [:]
    private var isName = false

    mutating func insert(_ name: Substring.UnicodeScalarView) {
        guard let first = name.first else { return isName = true }
        children[first, default: NameTree()].insert(name.dropFirst())
    }

    /// What matches all other names: those that differ from each of these somewhere, and beginnings of these.
    var others: [String] { [different + "*"] + (beginnings.map { [$0] } ?? []) }

    /// A hyphen comes last, where it is not a range in brackets.
    private var characters: [Unicode.Scalar] {
        children.keys.sorted { ($0 == "-" ? 1 : 0, $0.value) < ($1 == "-" ? 1 : 0, $1.value) }
    }

    /// The beginning of a name up to the first character that none of these has there; `?` is any character.
    private var different: String {
        guard !children.isEmpty else { return "?" }
        let others = "[^\(Self.quoted(characters))]"
        let deeper = characters.map { Self.quoted([$0]) + (children[$0]?.different ?? "") }
        return "(" + ([others] + deeper).joined(separator: "|") + ")"
    }

    /// What some of the names begin with and that is not a name itself; nil when there is none.
    private var beginnings: String? {
        let deeper = characters.compactMap { character in
            children[character]?.beginnings.map { Self.quoted([character]) + $0 }
        }
        let all = (isName ? [] : [""]) + deeper
        return all.isEmpty ? nil : "(" + all.joined(separator: "|") + ")"
    }

    /// Between double quotes every character means itself, in brackets too.
    static func quoted(_ characters: some Sequence<Unicode.Scalar>) -> String {
        "\"" + characters.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
}
