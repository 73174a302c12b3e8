import Testing

@testable import Databudgie

@Suite("Masks in a configuration")
struct MaskingConfigurationTests {
    private func masks(_ columns: String) throws -> [Mask] {
        try configuration("masking: {columns: \(columns)}").backup.masking?.columns.map(\.mask) ?? []
    }

    @Test("Every mask has a short form or a long one, and means the same in both")
    func masks() throws {
        let plain: [(String, Mask.Kind)] = [
            ("keep", .keep), ("hash", .hash), ("email", .email), ("digits", .digits), ("scramble", .scramble),
            ("filler", .filler), ("ip", .ip), ("first_name", .name(.firstName)), ("last_name", .name(.lastName)),
            ("full_name", .name(.fullName)), ("city", .name(.city)), ("street", .name(.street)),
            ("company", .name(.company)), ("choose", .choose(nil)), ("redact", .redact(first: 0, last: 0)),
            ("null", .null), ("'null'", .null),
        ]
        for (word, kind) in plain {
            #expect(try masks("{a.b.c: \(word)}") == [Mask(kind)], "\(word)")
            #expect(try masks("{a.b.c: {mask: \(word)}}") == [Mask(kind)], "\(word)")
        }
        let shift = try #require(MaskShift("30 days"))
        let path = try #require(JSONPath("items[*].owner"))
        let long: [(String, Mask)] = [
            ("{value: x}", Mask(.value("x"))), ("{value: 7}", Mask(.value("7"))),
            ("{shift: 30 days, by: id}", Mask(.shift(shift), by: "id")),
            ("{truncate: year}", Mask(.truncate(.year))), ("{noise: 10%}", Mask(.noise(percent: 10))),
            ("{noise: 2.5%}", Mask(.noise(percent: 2.5))),
            ("{redact: {first: 1, last: 2}}", Mask(.redact(first: 1, last: 2))),
            ("{choose: [a, 1, true]}", Mask(.choose(["a", "1", "true"]))), ("{each: hash}", Mask(.each(Mask(.hash)))),
            (
                "{paths: {'items[*].owner': full_name, ip: null}}",
                Mask(
                    .paths([
                        .init(path, Mask(.name(.fullName))), .init(try #require(JSONPath("ip")), Mask(.null)),
                    ])
                )
            ),
            ("{keep_paths: [a.b]}", Mask(.keepPaths([try #require(JSONPath("a.b"))]))),
            ("{sql: \"'L' || right(code, 2)\"}", Mask(.sql("'L' || right(code, 2)", isUnique: false))),
            ("{sql: code, unique: true}", Mask(.sql("code", isUnique: true))),
            ("{mask: email, by: id}", Mask(.email, by: "id")),
            ("{mask: hash, context: users}", Mask(.hash, context: "users")),
            ("{mask: full_name, locale: de}", Mask(.name(.fullName), locale: .german)),
        ]
        for (text, mask) in long { #expect(try masks("{a.b.c: \(text)}") == [mask], "\(text)") }
    }

    @Test("Rules keep their order and their places, and null stands for the mask NULL")
    func order() throws {
        let masking = try #require(
            try configuration(
                """
                masking:
                  key: 0123456789abcdef
                  policy: strict
                  columns:
                    "*.email": email
                    public.a.notes: null
                  keep: ["*.id", "*_id"]
                """
            ).backup.masking
        )
        #expect(masking.key == .secret("0123456789abcdef") && masking.policy == .strict)
        #expect(masking.columns.map(\.columns) == ["*.email", "public.a.notes"])
        #expect(masking.columns.map(\.mask) == [Mask(.email), Mask(.null)])
        #expect(masking.columns.map(\.place) == ["test.yaml:5", "test.yaml:6"])
        #expect(masking.keep.map(\.columns) == ["*.id", "*_id"] && masking.keep.allSatisfy { $0.mask == Mask(.keep) })
        #expect(try configuration("{}").backup.masking == nil)
    }

    @Test("The key can be in the environment, wherever the rules are")
    func keyInEnvironment() throws {
        let variables = ["DATABUDGIE_MASKING__KEY": "fedcba9876543210"]
        for yaml in ["masking: {columns: {a.b.c: hash}}", "backup: {masking: {columns: {a.b.c: hash}}}"] {
            let masking = try configuration(yaml, environment: variables).backup.masking
            #expect(masking?.key == .secret("fedcba9876543210") && masking?.columns.count == 1)
        }
        #expect(try configuration("masking: {key: random}").backup.masking?.key == .random)
    }

    @Test("A key is never repeated, neither by a message nor by the printed configuration")
    func secrecy() throws {
        let short = problems("masking: {key: shortsecret}")
        #expect(
            short == [
                "test.yaml:1: 'key' of 'masking' has 11 bytes, and 16 are the least; use a random one, from "
                    + "'openssl rand -hex 32' for example, or write random"
            ]
        )
        let text = ConfigurationPrinter().yaml(try configuration("masking: {key: averylongsecretkey}"))
        #expect(text.contains("key: '***'") && !text.contains("averylong"))
        let key = MaskingConfiguration.Key.secret("averylongsecretkey")
        #expect("\(key)" == "***")
    }

    @Test("What is printed can be read again, and means the same")
    func printing() throws {
        let columns = """
            {a.b.a: email, a.b.b: null, a.b.c: {shift: 2 weeks, by: id}, a.b.d: {each: {mask: hash, context: t}},
            a.b.e: {paths: {x: email, "y[*]": null}}, a.b.f: {keep_paths: [x.y]}, a.b.g: {sql: "a -- b", unique: true},
            a.b.h: {redact: {first: 1}}, a.b.i: {choose: ["null", "1"]}, a.b.j: {value: ""}, a.b.k: {noise: 2.5%},
            a.b.l: {mask: city, locale: fr}, a.b.m: {truncate: month}, a.b.n: {value: "null"}}
            """
        let first = try configuration("masking: {policy: strict, columns: \(columns), keep: [\"*.id\"]}")
        let text = ConfigurationPrinter().yaml(first)
        let second = try configuration(text)
        #expect(second.backup.masking?.columns.map(\.mask) == first.backup.masking?.columns.map(\.mask))
        #expect(second.backup.masking?.keep.map(\.columns) == ["*.id"] && second.backup.masking?.policy == .strict)
    }

    @Test(
        "A mistake is reported with its place and with what to write",
        arguments: [
            ("{a.b.c: emial}", "there is no mask 'emial', which 'a.b.c' has; did you mean 'email'?"),
            ("{a.b.c: 7}", "the mask of 'a.b.c' must be a name or a mapping, not a number"),
            ("{a.b.c: {by: id}}", "the mask of 'a.b.c' must name one mask, and names none"),
            ("{a.b.c: {hash: null, email: null}}", "the mask of 'a.b.c' must name one mask, and names hash, email"),
            ("{a.b.c: shift}", "the mask 'shift' of 'a.b.c' needs a value; write {shift: 30 days}"),
            ("{a.b.c: {shift: 30}}", "the mask 'shift' of 'a.b.c' needs a length of time"),
            ("{a.b.c: {shift: 2 years}}", "the mask 'shift' of 'a.b.c' needs a length of time"),
            ("{a.b.c: {noise: 10}}", "the mask 'noise' of 'a.b.c' needs a percentage"),
            ("{a.b.c: {noise: 101%}}", "the mask 'noise' of 'a.b.c' needs a percentage"),
            ("{a.b.c: {truncate: decade}}", "'truncate' cannot be 'decade'"),
            ("{a.b.c: {choose: []}}", "the mask 'choose' of 'a.b.c' needs a list of values"),
            ("{a.b.c: {choose: [a, null]}}", "the mask 'choose' of 'a.b.c' needs a list of values, and no null"),
            ("{a.b.c: {paths: {'a..b': hash}}}", "the mask 'paths' of 'a.b.c' cannot read the path 'a..b'"),
            ("{a.b.c: {paths: {a: {shift: 1 day}}}}", "the mask 'paths' of 'a.b.c' cannot have 'shift' inside it"),
            ("{a.b.c: {keep_paths: ['a[*]']}}", "the mask 'keep_paths' of 'a.b.c' cannot keep elements of arrays"),
            ("{a.b.c: {each: {sql: x}}}", "the mask 'each' of 'a.b.c' cannot have 'sql' inside it"),
            ("{a.b.c: {sql: ' '}}", "the mask 'sql' of 'a.b.c' needs an expression"),
            ("{a.b.c: {mask: 'null', by: id}}", "'by' has no effect on the mask 'null' of 'a.b.c'; remove it"),
            ("{a.b.c: {mask: hash, locale: de}}", "'locale' has no effect on the mask 'hash' of 'a.b.c'"),
            ("{a.b.c: {mask: city, locale: it}}", "'locale' cannot be 'it'; use one of en, de, fr, es"),
            ("{a.b.c: {redact: {frist: 1}}}", "unknown key 'frist' in the mask 'redact'"),
            ("[email]", "'columns' of 'masking' must be a mapping of columns to masks, not a list"),
        ]
    )
    func mistakes(columns: String, message: String) {
        let lines = problems("masking: {columns: \(columns)}")
        #expect(lines.count == 1 && lines[0].hasPrefix("test.yaml:1: \(message)"), "\(lines)")
    }

    @Test("Keys are refused where they have no meaning")
    func places() {
        #expect(
            problems("restore: {masking: {}}") == [
                "test.yaml:1: unknown key 'masking' in 'restore'; it belongs in 'backup' or at the root"
            ]
        )
        #expect(
            problems("backup: {require_masked: true}") == [
                "test.yaml:1: unknown key 'require_masked' in 'backup'; it belongs in 'restore' or at the root"
            ]
        )
        #expect(problems("masking: {colums: {}}").first?.contains("did you mean 'columns'?") == true)
        #expect(problems("masking: {policy: strikt}").first?.contains("did you mean 'strict'?") == true)
    }

    @Test("require_masked is false unless it is set, for restores or at the root")
    func requirement() throws {
        #expect(try configuration("{}").restore.requiresMasks == false)
        #expect(try configuration("restore: {require_masked: true}").restore.requiresMasks)
        #expect(try configuration("require_masked: true").restore.requiresMasks)
    }
}

@Suite("Paths into JSON documents")
struct JSONPathTests {
    @Test("Keys, elements and all elements are steps")
    func steps() {
        #expect(JSONPath("a")?.steps == [.key("a")])
        #expect(JSONPath("a.b[0].c")?.steps == [.key("a"), .key("b"), .index(0), .key("c")])
        #expect(JSONPath("[*].x")?.steps == [.all, .key("x")])
        #expect(JSONPath("a[*][1]")?.steps == [.key("a"), .all, .index(1)])
        #expect(JSONPath("\"a.b\".\"c\"\"d[\"")?.steps == [.key("a.b"), .key("c\"d[")])
        #expect(JSONPath("\"\".x y")?.steps == [.key(""), .key("x y")])
    }

    @Test(
        "Other texts are not paths",
        arguments: ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a]", "a\"b", "\"a"]
    )
    func otherTexts(text: String) {
        #expect(JSONPath(text) == nil)
    }
}
