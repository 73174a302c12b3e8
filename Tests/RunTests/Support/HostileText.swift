import DatabudgieTestSupport

/// Makes names and texts of what has ever ended a quote, a line, a comment or a head too early; the same ones for a seed.
struct HostileText {
    private var random: SeededGenerator
    private var count = 0

    /// The most bytes of a name.
    private static let nameLimit = 63

    /// - Parameter seed: Any number.
    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    /// How many were made.
    var made: Int { count }

    private static let quotes = [
        "\"", "'", "\\", "\"\"", "''", "$$", "$body$", "$_$", "E'", "U&\"", "\\'", "\";", "');", "\"\u{301}",
        "'\u{301}",
        "\\\u{200D}", "'\u{FE0F}", "\"\u{20DD}", "`",
    ]
    private static let breaks = ["\n", "\r", "\r\n", "\t", " ", "  ", "\u{2028}", "\u{85}", "\u{1}", "\u{7F}", "\n\n"]
    private static let syntax = [
        ";", "--", "/*", "*/", "-- ", "{", "}", "{table}", "{timestamp}", "%", "%2E", "%s", ".", "..", "/", "-", "*",
        "?", "[a]", ":", ",",
        "=", "(", ")", "<% ENV[HOME] %>", "&", "#", "|",
    ]
    private static let letters = [
        "a", "Z", "9", "_", "é", "e\u{301}", "ß", "漢字", "🙂", "\u{FEFF}", "İ", "ǆ", "select", "table", "public",
    ]
    private static let lines = [
        "\n-- databudgie {\"order\":1}\n", "\n\\connect postgres\n",
        "\n--\n-- Name: x; Type: TABLE; Schema: a; Owner: b\n--\n",
        "; Type: TABLE; Schema: ", "; Owner: ", "\n--\n-- TOC entry 5 (class 0 OID 0)\n",
        "\nSET default_tablespace = 'x';", "\n\\.\n",
        "; select canary.f(); --", "'||canary.f()||'", "\"; select canary.f(); --", "$$; select canary.f(); --",
        "\nALTER TABLE x OWNER TO y;", "\n\\! true\n", "*/ select canary.f(); --", "\\restrict x\n",
        "\n\\unrestrict x\n",
    ]

    private mutating func next() -> UInt64 { random.next() }

    private mutating func pick(_ pieces: [String]) -> String { pieces[Int(next() % UInt64(pieces.count))] }

    private mutating func piece() -> String {
        switch next() % 10 {
        case 0...2: pick(Self.quotes)
        case 3: pick(Self.breaks)
        case 4...5: pick(Self.syntax)
        case 6...7: pick(Self.letters)
        default: pick(Self.lines)
        }
    }

    private mutating func bytes(_ limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while next() % 9 != 0 || bytes.isEmpty {
            let piece = Array(piece().utf8)
            guard bytes.count + piece.count <= limit else { break }
            bytes += piece
        }
        return bytes
    }

    /// A name that no other one of this generator equals.
    ///
    /// - Parameter limit: The most bytes that it may have.
    /// - Returns: Never empty.
    mutating func name(_ limit: Int = nameLimit) -> String {
        count += 1
        let unique = Array("n\(count)".utf8)
        if next() % 12 == 0 {
            // As long as a name can be, of characters of three bytes.
            let filler = Array(repeating: Array("漢".utf8), count: (limit - unique.count) / 3).flatMap(\.self)
            return String(decoding: filler + unique, as: UTF8.self)
        }
        let rest = bytes(limit - unique.count)
        return String(decoding: next() % 2 == 0 ? unique + rest : rest + unique, as: UTF8.self)
    }

    /// A name as SQL, built from bytes and apart from the code under test.
    mutating func identifier(_ limit: Int = nameLimit) -> String { Self.quoted(name(limit)) }

    /// A text as SQL.
    ///
    /// - Parameter limit: The most bytes that it may have.
    /// - Returns: A string constant.
    mutating func literal(_ limit: Int = 200) -> String {
        count += 1
        return Self.literal(String(decoding: bytes(limit), as: UTF8.self))
    }

    /// A name between double quotes.
    static func quoted(_ name: String) -> String {
        "\"" + String(decoding: name.utf8.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] }, as: UTF8.self) + "\""
    }

    /// A string constant that means the same whatever the session's settings are.
    static func literal(_ text: String) -> String {
        let bytes = text.utf8.flatMap { [0x27, 0x5C].contains($0) ? [$0, $0] : [$0] }
        return "E'" + String(decoding: bytes, as: UTF8.self) + "'"
    }
}
