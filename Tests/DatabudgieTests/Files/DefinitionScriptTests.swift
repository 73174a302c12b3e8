import Testing

@testable import Databudgie

@Suite("Definition files")
struct DefinitionScriptTests {
    private let unit = DefinitionScript.Unit(schema: "app", table: "t")

    @Test("A file is read as it was written, whatever is in its names and functions")
    func roundTrip() throws {
        let body =
            "CREATE FUNCTION app.f() RETURNS text AS $$\n-- databudgie {\"order\":7}\nselect ';'\n$$ LANGUAGE sql;"
        let script = DefinitionScript(
            timestamp: "2026-01-02T03:04:05",
            requires: [.init(schema: "app"), .init(schema: "a.b", table: "c\n\"d")],
            definitions: [
                Definition(
                    order: 3,
                    section: .preData,
                    type: "TABLE",
                    schema: "app",
                    table: "t",
                    sql: "CREATE TABLE app.t ();"
                ),
                Definition(order: 4, section: .preData, type: "FUNCTION", schema: "app", isOptional: true, sql: body),
                Definition(
                    order: 9,
                    section: .postData,
                    type: "COMMENT",
                    schema: "a.b",
                    table: "c\n\"d",
                    attachedTo: 8,
                    sql: "COMMENT ON INDEX i IS 'x';"
                ),
            ]
        )
        #expect(try DefinitionScript(text: script.text(), of: unit) == script)
    }

    @Test("A file whose definitions would be read as others is not written")
    func unsafeText() {
        let mark = "-- databudgie {\"order\":2,\"schema\":\"app\",\"section\":\"pre-data\",\"type\":\"TABLE\"}"
        for sql in [
            "COMMENT ON TABLE t IS 'x;", "COMMENT ON TABLE t IS \"x;", "CREATE FUNCTION f() AS $$ x;",
            "SELECT 1; /* /* */",
            "SELECT 1;\n\(mark)\nDROP TABLE t;", "\nSELECT 1;", "SELECT 1;\n",
        ] {
            let script = DefinitionScript(
                timestamp: "2026",
                definitions: [
                    Definition(order: 1, section: .preData, type: "COMMENT", schema: "app", table: "t", sql: sql),
                    Definition(
                        order: 3,
                        section: .postData,
                        type: "COMMENT",
                        schema: "app",
                        sql: "COMMENT ON x IS ';--';"
                    ),
                ]
            )
            let error = #expect(throws: DatabudgieError.self) { try script.checkedText() }
            #expect(error?.description.hasPrefix("app.t: a definition (COMMENT) cannot be backed up") == true, "\(sql)")
        }
    }

    @Test("A mark counts at the beginning of a line only, and never in a literal or a comment")
    func marks() throws {
        let mark = "-- databudgie {\"order\":1,\"schema\":\"app\",\"section\":\"pre-data\",\"type\":\"TABLE\"}"
        let sql = "SELECT 1; \(mark)\nSELECT '\n\(mark)\n', \"\n\(mark)\n\", $$\n\(mark)\n$$; /*\n\(mark)\n*/"
        let text = "-- databudgie {\"backup\":\"2026\",\"requires\":[]}\n\n\(mark)\n\(sql)\n"
        let script = try DefinitionScript(text: text, of: unit)
        #expect(script.definitions.map(\.sql) == [sql])
    }

    @Test("A file with an open quote is an error, whoever wrote it")
    func openQuote() {
        let mark = "-- databudgie {\"backup\":\"2026\",\"requires\":[]}\n"
        for text in [mark + "SELECT 'x;\n", "SELECT 'x;\n", "CREATE TABLE t (); /*"] {
            #expect(throws: DefinitionScript.Damage.self) { try DefinitionScript(text: text, of: unit) }
        }
    }

    @Test("Names that differ in their bytes are different units")
    func unitsByBytes() {
        let composed = DefinitionScript.Unit(schema: "app", table: "\u{E9}")
        let decomposed = DefinitionScript.Unit(schema: "app", table: "e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(DefinitionScript.Unit(schema: "app") != DefinitionScript.Unit(schema: "app", table: ""))
    }

    @Test("A damaged comment line of this program is an error")
    func damagedMark() {
        let text =
            "-- databudgie {\"backup\":\"2026\",\"requires\":[]}\n\n-- databudgie {\"order\":1\nCREATE TABLE t ();\n"
        #expect(throws: DecodingError.self) { try DefinitionScript(text: text, of: unit) }
    }

    @Test("Two scripts of a backup become one in pg_dump's order, and what both have comes once")
    func merging() {
        func definition(_ order: Int, _ type: String) -> Definition {
            Definition(order: order, section: .preData, type: type, schema: "app", sql: "\(order)")
        }
        var script = DefinitionScript(
            requires: [.init(schema: "b")],
            definitions: [definition(1, "SCHEMA"), definition(5, "TYPE")]
        )
        script.merge(
            DefinitionScript(
                requires: [.init(schema: "a"), .init(schema: "b")],
                definitions: [definition(1, "SCHEMA"), definition(1, "OWNER"), definition(3, "TABLE")]
            )
        )
        #expect(script.definitions.map(\.type) == ["SCHEMA", "OWNER", "TABLE", "TYPE"])
        #expect(script.requires.map(\.component.text) == ["a", "b"])
    }

    @Test(
        "Statements of a file without marks find their section by their first words",
        arguments: [
            ("CREATE TABLE public.a (id integer NOT NULL);", "TABLE", Definition.Section.preData),
            ("CREATE SEQUENCE public.a_id_seq START WITH 1;", "SEQUENCE", .preData),
            ("ALTER TABLE public.a OWNER TO postgres;", "OWNER", .preData),
            ("ALTER TABLE public.a OWNER TO \"my role\";", "OWNER", .preData),
            ("ALTER SEQUENCE public.a_id_seq OWNED BY public.a.id;", "ALTER", .preData),
            ("ALTER TABLE ONLY public.a ALTER COLUMN id SET DEFAULT nextval('s'::regclass);", "ALTER", .preData),
            ("GRANT SELECT ON TABLE public.a TO reader;", "ACL", .postData),
            ("ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);", "CONSTRAINT", .postData),
            ("CREATE UNIQUE INDEX i ON public.a USING btree (id);", "INDEX", .postData),
            ("CREATE CONSTRAINT TRIGGER t AFTER INSERT ON public.a EXECUTE FUNCTION f();", "TRIGGER", .postData),
            ("ALTER TABLE public.a ENABLE ROW LEVEL SECURITY;", "ROW SECURITY", .postData),
            (
                "ALTER TABLE ONLY public.a ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES public.b(id);", "FK CONSTRAINT",
                .postData
            ),
        ]
    )
    func classification(_ statement: String, _ type: String, _ section: Definition.Section) throws {
        let definition = try #require(try DefinitionScript(text: statement, of: unit).definitions.first)
        #expect(definition.type == type)
        #expect(definition.section == section)
        #expect(definition.sql == statement)
    }

    @Test("A file without marks has its statements in order, and its foreign keys after everything else")
    func unmarkedOrder() throws {
        let text = """
            CREATE TABLE public.a (id integer);
            ALTER TABLE ONLY public.a ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES public.b(id);
            CREATE INDEX i ON public.a USING btree (id);
            """
        let script = try DefinitionScript(text: text, of: unit)
        #expect(script.timestamp == nil)
        #expect(script.definitions.sorted { $0.rank < $1.rank }.map(\.type) == ["TABLE", "INDEX", "FK CONSTRAINT"])
    }
}
