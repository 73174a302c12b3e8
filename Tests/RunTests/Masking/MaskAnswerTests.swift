import DatabudgieTestSupport
import Postgres
import Storage
import Testing

@testable import Databudgie

/// Masks as the server computes them, without a run around them.
@Suite("Masks in the server")
struct MaskAnswerTests {
    static let secret = "databudgie-test-secret-0123456789"
    private let key = MaskKey(.secret(MaskAnswerTests.secret))

    private static func type(_ name: String, modifier: Int = -1, element: String? = nil) -> ColumnType {
        var type = ColumnType(name: name, qualified: "pg_catalog.\"\(name)\"", kind: .base, modifier: modifier)
        type.element = element.map { ColumnType.Element(name: $0, qualified: "pg_catalog.\($0)", kind: .base) }
        return type
    }

    /// The masks of values, which are pairs of an id and a value.
    private func masks(
        _ mask: Mask,
        _ type: ColumnType,
        of values: [(id: String?, value: String?)],
        over connection: Connection
    ) async throws -> [String?] {
        let columns = [
            MaskedColumn(name: "id", value: MaskedValue(sql: "t.id", type: Self.type("int4")), mask: nil),
            MaskedColumn(name: "c", value: MaskedValue(sql: "t.c", type: type), mask: mask),
        ]
        let masked = try #require(MaskedColumns(columns))
        let rows = """
            (select id::int4, c::\(type.qualified) from unnest($1::text[], $2::text[]) with ordinality u (id, c, p)
            order by p)
            """
        func array(_ texts: [String?]) -> String {
            let elements = texts.map { text in
                text.map { MaskSQL.arrayText([$0]) }.map { String($0.dropFirst().dropLast()) } ?? "NULL"
            }
            return "{" + elements.joined(separator: ",") + "}"
        }
        let parameters = [array(values.map(\.id)), array(values.map(\.value))]
        return try await connection.withTransaction(.snapshot, idleTimeout: nil) {
            try await connection.execute("set local search_path = ''; set local timezone = 'UTC'")
            try await connection.setMaskKeys(of: masked, key)
            let sql = "select c::pg_catalog.text from (\(masked.select(from: rows))) as s"
            return try await connection.query(sql, parameters).rows.map { $0[0] }
        }
    }

    private func expect(
        _ mask: Mask,
        _ type: ColumnType,
        _ values: [(id: String?, value: String?)],
        _ expected: [String?]
    ) async throws {
        try await PostgresServer.withDatabase { database in
            try await Connection.withConnection(to: database) { connection in
                let found = try await masks(mask, type, of: values, over: connection)
                #expect(found == expected, "\(mask.name)")
            }
        }
    }

    private func expect(
        _ mask: Mask,
        _ values: [String?],
        _ expected: [String?],
        _ type: ColumnType = MaskAnswerTests.type("text")
    ) async throws {
        try await expect(mask, type, values.map { (id: "1", value: $0) }, expected)
    }

    @Test("Known answers of hashes and addresses")
    func hashes() async throws {
        try await expect(
            Mask(.email),
            ["ada@example.org", "Ada@Example.org", "", nil],
            ["uef99c0780c6c295b@example.com", "uc41d4409a992c65a@example.com", "", nil]
        )
        try await expect(
            Mask(.hash),
            ["Ada", "", nil],
            ["c3fb71e0078a808187543e0675761b94", "a8d52c0f31617eb482d5a5d7cef1b475", nil]
        )
        try await expect(
            Mask(.hash),
            ["6ecd8c99-4036-403d-bf84-cf8400f67836", nil],
            ["4023bb29-18d7-8f2f-8f4e-9feb027a721e", nil],
            Self.type("uuid")
        )
        try await expect(
            Mask(.each(Mask(.email))),
            ["{a@x.org,NULL,b@x.org}", "{}", nil],
            ["{ub5c8d41f7e767e13@example.com,NULL,u39263c39664799ec@example.com}", "{}", nil],
            Self.type("_text", element: "text")
        )
    }

    @Test("Known answers of masks that depend on another column")
    func others() async throws {
        try await expect(
            Mask(.email, by: "id"),
            Self.type("text"),
            [("4711", "any"), ("1", "any"), ("1", nil)],
            ["u2de6dcbea9507524@example.com", "ud9d789cfed2c9840@example.com", nil]
        )
        let names = (NameLists.list(.firstName, .english).names, NameLists.list(.lastName, .english).names)
        try await expect(
            Mask(.name(.fullName), by: "id"),
            Self.type("text"),
            [("4711", "x"), ("1", "x")],
            ["\(names.0[820]) \(names.1[354])", "\(names.0[487]) \(names.1[576])"]
        )
        let shift = try #require(MaskShift(days: 30))
        try await expect(
            Mask(.shift(shift), by: "id"),
            Self.type("date"),
            [("4711", "2020-06-15"), ("1", "2020-06-15"), ("1", nil), ("1", "infinity")],
            ["2020-06-06", "2020-07-08", nil, "infinity"]
        )
    }

    @Test("Without the other column's value, the masked one counts")
    func missingOther() async throws {
        let bytes = hexadecimal(key.hash("ada@example.org", in: "row").prefix(8))
        try await expect(
            Mask(.email, by: "id"),
            Self.type("text"),
            [(nil, "ada@example.org"), (nil, nil)],
            ["u\(bytes)@example.com", nil]
        )
    }

    @Test("Known answers of masks that keep the form of a text")
    func forms() async throws {
        try await expect(
            Mask(.digits),
            ["+49 (171) 555-1234", "日本12", "", nil],
            ["+92 (155) 410-5815", "日本91", "", nil]
        )
        try await expect(
            Mask(.scramble),
            ["ada@example.org", #"Zoë "x" \ y"#, "", nil],
            ["fap@zfpsaom.bgv", #"Btx "r" \ m"#, "", nil]
        )
        try await expect(
            Mask(.redact(first: 1, last: 2)),
            ["Ada", "ada@example.org", "", nil],
            ["***", "a************rg", "", nil]
        )
        try await expect(Mask(.filler), ["Zoë", "", nil], ["lor", "", nil])
    }

    @Test("Short texts of ASCII, which have SQL of their own, are masked as all others")
    func shortTexts() async throws {
        let ascii = (32..<127).map { String(Unicode.Scalar(UInt8($0))) }.joined()
        let texts = stride(from: 0, to: 96, by: 8).flatMap { start in
            [1, 7, 31, 32, 33].map { String(ascii.dropFirst(start).prefix($0)) }
        }.filter { !$0.isEmpty }
        for (mask, letters) in [(Mask(.digits), false), (Mask(.scramble), true)] {
            let expected = texts.map { text -> String? in
                let hash = key.hash(text, in: mask.name)
                let bytes = text.utf8.enumerated().map { place, byte -> UInt8 in
                    for (first, count) in [(48, 10)] + (letters ? [(97, 26), (65, 26)] : [])
                    where (first..<first + count).contains(Int(byte)) {
                        return UInt8(first + (Int(byte) - first + Int(hash[place % 32])) % count)
                    }
                    return byte
                }
                return String(decoding: bytes, as: UTF8.self)
            }
            try await expect(mask, texts, expected)
        }
    }

    @Test("Documents keep what the paths do not name, and paths that lead nowhere change nothing")
    func documents() async throws {
        let masks: [Mask.MaskedPath] = [
            .init(try #require(JSONPath("user.email")), Mask(.email)),
            .init(try #require(JSONPath("items[*].owner")), Mask(.value("X"))),
            .init(try #require(JSONPath("ip")), Mask(.null)),
        ]
        try await expect(
            Mask(.paths(masks)),
            [
                #"{"user": {"email": "ada@example.org", "n": 1}, "items": [{"owner": "A"}, 3, null], "ip": "::1"}"#,
                #"{"user": "scalar", "items": {"owner": 1}}"#, "5", "null", #"{"user": {"email": null}}"#, nil,
            ],
            [
                #"{"user": {"n": 1, "email": "uef99c0780c6c295b@example.com"}, "items": [{"owner": "X"}, 3, null]}"#,
                #"{"user": "scalar", "items": {"owner": 1}}"#, "5", "null", #"{"user": {"email": null}}"#, nil,
            ],
            Self.type("jsonb")
        )
        let kept = ["user.plan", "user.x.y", "n"].compactMap { JSONPath($0) }
        try await expect(
            Mask(.keepPaths(kept)),
            [#"{"user": {"plan": "p", "email": "e", "x": {"z": 2}}, "n": null, "m": 1}"#, "[1]", "3", nil],
            [#"{"n": null, "user": {"plan": "p"}}"#, "{}", "{}", nil],
            Self.type("jsonb")
        )
    }

    @Test("Numbers stay within their types, and NULL and what is not a number stay as they are")
    func numbers() async throws {
        try await PostgresServer.withDatabase { database in
            try await Connection.withConnection(to: database) { connection in
                for (name, most) in [("int2", "32767"), ("int4", "2147483647"), ("int8", "9223372036854775807")] {
                    let values =
                        [("1", most), ("2", "-" + most), ("3", "0"), ("4", nil)] as [(id: String?, value: String?)]
                    let mask = Mask(.noise(percent: 100), by: "id")
                    let found = try await masks(mask, Self.type(name), of: values, over: connection)
                    #expect(found[2...] == ["0", nil] && found[..<2].allSatisfy { $0 != nil })
                }
                let precise = Self.type("numeric", modifier: (4 << 16 | 2) + 4)
                let values = ["99.99", "-99.99", "NaN", "10.00", nil].map { (id: "1" as String?, value: $0 as String?) }
                let found = try await masks(Mask(.noise(percent: 100)), precise, of: values, over: connection)
                for text in found[..<2] {
                    let number = try #require(text.flatMap(Double.init))
                    #expect(abs(number) <= 99.99)
                }
                #expect(found[2] == "NaN" && found[3]?.wholeMatch(of: /\d+\.\d\d/) != nil && found[4] == nil)
                let floats = ["NaN", "Infinity", "1e308", nil].map { (id: "1" as String?, value: $0 as String?) }
                #expect(
                    try await masks(Mask(.noise(percent: 10)), Self.type("float8"), of: floats, over: connection)
                        == ["NaN", "Infinity", "1e+308", nil]
                )
            }
        }
    }

    @Test("The server's HMAC is that of swift-crypto, for 1,000 strings of all kinds")
    func independentHashes() async throws {
        var generator = SystemRandomNumberGenerator()
        let scalars: [Unicode.Scalar] = ["a", "Z", "0", " ", "\"", "'", "\\", "é", "\u{301}", "日", "😀", "\n", "{", ","]
        let texts = (0..<1_000).map { number in
            "\(number)"
                + String(
                    String.UnicodeScalarView(
                        (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                            scalars.randomElement(using: &generator) ?? "x"
                        }
                    )
                )
        }
        try await expect(
            Mask(.hash),
            texts,
            texts.map { hexadecimal(key.hash($0, in: "hash").prefix(16)) }
        )
    }

    @Test("A database in another encoding gives the same masks")
    func encodings() async throws {
        let values = ["Zoë Ñandú", "ß 12", "ada@example.org", "", nil].map {
            (id: "7" as String?, value: $0 as String?)
        }
        let all: [Mask] = [
            Mask(.hash), Mask(.email), Mask(.digits), Mask(.scramble), Mask(.name(.fullName), locale: .german),
            Mask(.name(.street), by: "id", locale: .french), Mask(.redact(first: 1, last: 1)), Mask(.filler),
        ]
        var found: [[[String?]]] = []
        for encoding in [nil, "LATIN1"] {
            try await PostgresServer.withDatabase(encoding: encoding) { database in
                try await Connection.withConnection(to: database) { connection in
                    var masked: [[String?]] = []
                    for mask in all {
                        masked.append(try await masks(mask, Self.type("text"), of: values, over: connection))
                    }
                    found.append(masked)
                }
            }
        }
        #expect(found[0] == found[1] && found[0].count == all.count)
    }

    @Test(
        "A million different values have as many masks",
        arguments: [
            (Mask(.hash), "text", "i::pg_catalog.text"), (Mask(.email), "text", "i::pg_catalog.text"),
            (Mask(.hash), "uuid", "pg_catalog.md5(i::pg_catalog.text)::pg_catalog.uuid"),
            (Mask(.hash), "int8", "i::pg_catalog.int8"),
            (Mask(.hash), "bytea", "pg_catalog.int4send(i)"),
        ]
    )
    func injectivity(_ mask: Mask, _ type: String, _ series: String) async throws {
        try await PostgresServer.withDatabase { database in
            try await Connection.withConnection(to: database) { connection in
                let value = MaskedValue(sql: "t.c", type: Self.type(type))
                let masked = try #require(MaskedColumns([MaskedColumn(name: "c", value: value, mask: mask)]))
                let count = try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                    try await connection.setMaskKeys(of: masked, key)
                    let rows = "(select \(series) as c from pg_catalog.generate_series(1, 1000000) i)"
                    return try await connection.query(
                        "select pg_catalog.count(distinct c) from (\(masked.select(from: rows))) as s"
                    ).rows.first?[0]
                }
                #expect(count == "1000000")
            }
        }
    }

    @Test("Every mask keeps NULL and the type, whatever the value", arguments: MaskedType.all)
    func types(_ type: MaskedType) async throws {
        try await PostgresServer.withDatabase { database in
            try await Connection.withConnection(to: database) { connection in
                for mask in Self.all where MaskFit.fits(mask, type.type) {
                    let columns = [
                        MaskedColumn(
                            name: "id",
                            value: MaskedValue(sql: "t.id", type: Self.type("int4")),
                            mask: nil
                        ), MaskedColumn(name: "c", value: MaskedValue(sql: "t.c", type: type.type), mask: mask),
                    ]
                    guard let masked = MaskedColumns(columns) else { continue }
                    let values =
                        type.values.map { "(1, \(quotedLiteral($0))::\(type.name))" } + ["(2, null)", "(null, null)"]
                    let rows = "(select v.id, v.c from (values \(values.joined(separator: ", "))) as v (id, c))"
                    let found = try await connection.withTransaction(.snapshot, idleTimeout: nil) {
                        try await connection.setMaskKeys(of: masked, key)
                        return try await connection.query(
                            """
                            select pg_catalog.count(*) filter (where c is not null),
                                pg_catalog.count(*) filter (where c is null), min(pg_catalog.pg_typeof(c)::pg_catalog.text),
                                max(pg_catalog.pg_typeof(c)::pg_catalog.text)
                            from (\(masked.select(from: rows))) as s
                            """
                        ).rows.first
                    }
                    let row = try #require(found)
                    let isNull = mask.kind == .null
                    let label = "\(mask.name) of \(type.name)"
                    #expect(row[0] == (isNull ? "0" : "\(type.values.count)"), "\(label)")
                    #expect(row[1] == (isNull ? "\(type.values.count + 2)" : "2"), "\(label)")
                    #expect(row[2] == type.name && row[3] == type.name, "\(label)")
                }
            }
        }
    }

    /// Masks of all kinds whose results depend on the value, or are nothing.
    private static let all: [Mask] =
        [
            Mask(.null), Mask(.hash), Mask(.email), Mask(.digits), Mask(.scramble), Mask(.noise(percent: 100)),
            Mask(.redact(first: 0, last: 0)), Mask(.redact(first: 2, last: 1)), Mask(.filler), Mask(.choose(nil)),
            Mask(.ip),
            Mask(.each(Mask(.hash))), Mask(.each(Mask(.scramble))), Mask(.each(Mask(.noise(percent: 1)))),
            Mask(.paths([JSONPath("a.b[*].c")].compactMap(\.self).map { .init($0, Mask(.hash)) })),
            Mask(.keepPaths([JSONPath("a")].compactMap(\.self))), Mask(.hash, by: "id"), Mask(.digits, by: "id"),
        ] + NameKind.allCases.map { Mask(.name($0), locale: .spanish) }
        + ["3 days", "5 seconds"].compactMap { MaskShift($0) }.map { Mask(.shift($0)) }
        + Mask.DateUnit.allCases.map { Mask(.truncate($0)) }
}

/// A type, with values at its ends.
struct MaskedType: Sendable, CustomTestStringConvertible {
    /// As `format_type` writes it.
    let name: String
    let type: ColumnType
    let values: [String]

    var testDescription: String { name }

    private init(_ name: String, _ internalName: String, _ values: [String], element: String? = nil) {
        (self.name, self.values) = (name, values)
        var type = ColumnType(
            name: internalName,
            qualified: "pg_catalog.\"\(internalName)\"",
            kind: .base,
            modifier: -1
        )
        type.element = element.map { ColumnType.Element(name: $0, qualified: "pg_catalog.\"\($0)\"", kind: .base) }
        self.type = type
    }

    private static let texts = [
        "", "x", "ada@example.org", #"'"\$1;--"#, "\u{1F600} Zoë\u{301} 日本", "{a,b}", "  ",
        String(repeating: "ab1", count: 400),
    ]
    private static let lists = ["{}", #"{NULL,"",'}"#, #"{{a,"b ,"},{"{}",NULL}}"#]

    static let all = [
        MaskedType("text", "text", texts), MaskedType("character varying", "varchar", texts),
        MaskedType("uuid", "uuid", ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
        MaskedType("bytea", "bytea", ["", "\\x00ff", "\\x5c27"]),
        MaskedType("smallint", "int2", ["0", "-32768", "32767"]),
        MaskedType("integer", "int4", ["0", "-2147483648", "2147483647"]),
        MaskedType("bigint", "int8", ["0", "-9223372036854775808", "9223372036854775807"]),
        MaskedType("numeric", "numeric", ["0", "-0.000001", "1e100", "NaN", "12.50"]),
        MaskedType("real", "float4", ["0", "-3.4e38", "1e-45", "NaN", "-Infinity"]),
        MaskedType("double precision", "float8", ["0", "-1.7e308", "5e-324", "NaN", "Infinity"]),
        MaskedType("date", "date", ["4713-01-01 BC", "5874897-12-31", "infinity", "-infinity", "2024-02-29"]),
        MaskedType(
            "timestamp without time zone",
            "timestamp",
            ["4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "infinity", "2024-02-29 12:00"]
        ),
        MaskedType(
            "timestamp with time zone",
            "timestamptz",
            ["4713-01-02 00:00:00+00 BC", "294276-12-30 23:59:59.999999+00", "-infinity", "2024-03-31 02:30+01"]
        ),
        MaskedType("boolean", "bool", ["true", "false"]),
        MaskedType("inet", "inet", ["0.0.0.0", "255.255.255.255/8", "::", "fe80::1/64"]),
        MaskedType("jsonb", "jsonb", ["{}", "[]", "null", "1", #"{"a": {"b": [{"c": "x"}, 1, {"c": null}, []]}}"#]),
        MaskedType("json", "json", ["{}", #" {"a": 1, "a": {"b": {"c": 2}}} "#]),
        MaskedType("text[]", "_text", lists, element: "text"),
        MaskedType("numeric[]", "_numeric", ["{}", "{1.0,NULL,NaN}"], element: "numeric"),
        MaskedType("bytea[]", "_bytea", [#"{"\\x00",NULL}"#], element: "bytea"),
    ]
}
