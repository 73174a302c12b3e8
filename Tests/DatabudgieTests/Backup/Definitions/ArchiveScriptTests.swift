import DatabudgieTestSupport
import Testing

@testable import Databudgie

@Suite("What pg_restore prints")
struct ArchiveScriptTests {
    private let script = #"""
        --
        -- PostgreSQL database dump
        --

        SET statement_timeout = 0;
        SELECT pg_catalog.set_config('search_path', '', false);

        --
        -- TOC entry 273 (class 1255 OID 16569)
        -- Dependencies: 7
        -- Name: f(); Type: FUNCTION; Schema: app; Owner: postgres
        -- Data Pos: 0
        --

        CREATE FUNCTION app.f() RETURNS trigger
            LANGUAGE plpgsql
            AS $$ begin
        --
        -- TOC entry 5 (class 0 OID 0)
        -- Name: x; Type: TABLE; Schema: app; Owner: postgres
        --
        return new; end $$;


        ALTER FUNCTION app.f() OWNER TO postgres;

        SET default_tablespace = '';

        SET default_table_access_method = columnar;

        --
        -- TOC entry 226 (class 1259 OID 16626)
        -- Dependencies: 7 273
        -- Name: a; Type: b; Type: TABLE; Schema: app; Owner: postgres
        -- Data Pos: 0
        --

        CREATE TABLE app."a; Type: b" (
            a integer
        );


        SET default_table_access_method = heap;

        --
        -- TOC entry 3350 (class 2606 OID 16588)
        -- Dependencies: 226
        -- Name: a k; Type: FK CONSTRAINT; Schema: app; Owner: postgres
        -- Data Pos: 0
        --

        ALTER TABLE ONLY app.a
            ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES app.b(a);


        -- Completed on 2026-11-23 05:16:56 UTC

        --
        -- PostgreSQL database dump complete
        --

        """#

    private let list = """
        ;
        ; Archive created at 2026-11-23 05:16:56 UTC
        ;     TOC Entries: 5
        ;
        3330; 0 0 ENCODING - ENCODING 
        273; 1255 16569 FUNCTION app f() postgres
        226; 1259 16626 TABLE app a; Type: b postgres
        3350; 2606 16588 FK CONSTRAINT app a k postgres

        """

    private func entries(postData: Set<Int> = []) throws -> [ArchiveEntry] {
        try ArchiveScript.entries(of: script, contents: ArchiveContents(list), postData: postData)
    }

    @Test("A script falls into its definitions, with their owners apart and comments inside functions left alone")
    func definitions() throws {
        let entries = try entries(postData: [3350])
        try #require(entries.count == 3)
        #expect(entries.map(\.identifier) == [273, 226, 3350])
        #expect(entries.map(\.oid) == [16569, 16626, 16588])
        #expect(entries.map(\.dependencies) == [[7], [7, 273], [226]])
        #expect(entries.map(\.type) == ["FUNCTION", "TABLE", "FK CONSTRAINT"])
        #expect(entries.map(\.name) == ["f()", "a; Type: b", "a k"])
        #expect(entries.map(\.schema) == ["app", "app", "app"])
        #expect(entries.map(\.section) == [.preData, .preData, .postData])
        #expect(entries[0].sql.hasPrefix("CREATE FUNCTION app.f()"))
        #expect(entries[0].sql.hasSuffix("return new; end $$;"))
        #expect(entries[0].sql.contains("-- TOC entry 5"))
        #expect(entries[0].ownerSQL == "ALTER FUNCTION app.f() OWNER TO postgres;")
        #expect(entries[2].sql.hasSuffix("REFERENCES app.b(a);"))
        #expect(entries[2].ownerSQL == nil)
    }

    @Test("A table in another access method has it in its definition; the next one does not")
    func accessMethods() throws {
        let entries = try entries()
        try #require(entries.count == 3)
        #expect(entries[1].sql.hasPrefix("SET default_table_access_method = columnar;\nCREATE TABLE"))
        #expect(entries[1].sql.hasSuffix("SET default_table_access_method = DEFAULT;"))
        #expect(!entries[2].sql.contains("access_method"))
    }

    @Test("A list names the numbers of its entries")
    func numbers() {
        let list = """
            ;
            ; Archive created at 2026-11-23 05:16:56 UTC
            ;     TOC Entries: 46
            ;
            3343; 2606 16605 CONSTRAINT app part part_pkey postgres
            3347; 0 0 INDEX ATTACH app p1_d_idx postgres
            """
        #expect(Set(ArchiveContents(list).lines.keys) == [3343, 3347])
    }

    @Test("An entry of the list that is not in the script is an error that names it")
    func missingEntry() {
        let contents = ArchiveContents(list + "99; 1259 99 TABLE app lost postgres\n")
        let error = #expect(throws: DatabudgieError.self) {
            try ArchiveScript.entries(of: script, contents: contents, postData: [])
        }
        #expect(error?.description.contains("TABLE app lost postgres") == true)
    }
}

@Suite("Definitions whose texts look like what pg_restore adds")
struct ArchiveTrailerTests {
    /// What pg_restore prints for one definition, and a comment on an index after it.
    private func entry(
        _ definition: String,
        owner: String? = nil,
        trailer: String = "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n"
    ) throws -> [ArchiveEntry] {
        let ownerSQL = owner.map { "\nALTER TABLE app.t OWNER TO \($0);\n\n" } ?? ""
        let script = """
            --
            -- TOC entry 226 (class 1259 OID 16626)
            -- Dependencies: 7
            -- Name: t; Type: TABLE; Schema: app; Owner: \(owner ?? "bob")
            -- Data Pos: 0
            --

            \(definition)

            \(ownerSQL)\(trailer)--
            -- TOC entry 3350 (class 0 OID 0)
            -- Dependencies: 226
            -- Name: INDEX zz; Type: COMMENT; Schema: app; Owner: bob
            -- Data Pos: 0
            --

            COMMENT ON INDEX app.zz IS ' ; ALTER ROLE intruder SUPERUSER; --';


            -- Completed on 2026-11-23 05:16:56 UTC

            --
            -- PostgreSQL database dump complete
            --

            \\unrestrict secret

            """
        let list = "226; 1259 16626 TABLE app t \(owner ?? "bob")\n3350; 0 0 COMMENT app INDEX zz bob\n"
        return try ArchiveScript.entries(of: script, contents: ArchiveContents(list), postData: [3350])
    }

    /// Definitions as pg_dump prints them, around a text.
    static let forms = [
        "COMMENT ON TABLE app.t IS 'Read this\n%';", "COMMENT ON COLUMN app.t.a IS 'x\n%';",
        "COMMENT ON INDEX app.zz IS 'x\n%';", "COMMENT ON CONSTRAINT c ON app.t IS 'x\n%';",
        "COMMENT ON TABLE app.t IS 'ends in one\n%\n';", "COMMENT ON TABLE app.t IS E'back\\\\slash\n%';",
        "ALTER TABLE ONLY app.t ALTER COLUMN a SET DEFAULT 'x\n%'::text;",
        "CREATE TABLE app.t (\n    a text DEFAULT 'x\n%'::text,\n    CONSTRAINT c CHECK ((a <> 'y\n%'::text))\n);",
        "CREATE TABLE app.\"t\n%\" (\n    \"a\n%\" text\n);",
        "CREATE POLICY p ON app.t USING ((a = 'x\n%'::text));",
        "CREATE FUNCTION app.f() RETURNS text\n    LANGUAGE sql\n    AS 'select 1\n%';",
        "CREATE FUNCTION app.f() RETURNS text\n    LANGUAGE sql\n    AS $_tag$select 1\n%$_tag$;",
        """
        CREATE FUNCTION app.f(begin integer) RETURNS text
            LANGUAGE sql
            BEGIN ATOMIC
         SELECT CASE WHEN (begin > 1) THEN 'x\n%'::text ELSE 'y'::text END;
         SELECT 'x\n%'::text;
        END;
        """,
        "CREATE VIEW app.v AS\n SELECT 'x\n%'::text AS a;",
        "CREATE RULE r AS\n    ON INSERT TO app.t DO ( DELETE FROM app.t WHERE (a = 'x\n%'::text);\n DELETE FROM app.u;\n);",
        "SECURITY LABEL FOR dummy ON TABLE app.t IS 'x\n%';",
        "CREATE TABLE app.t (\n    a text\n);\nALTER TABLE ONLY app.t ALTER COLUMN a SET STATISTICS 5;\nSELECT 'x\n%';",
    ]

    @Test("A definition is the one that was printed, whatever its last line looks like", arguments: forms)
    func trailers(_ form: String) throws {
        for line in HostileTexts.lastLines {
            // As pg_dump doubles quotes, and chooses another dollar quote.
            let text = line.replacing("'", with: "''").replacing("\"", with: form.contains("app.\"t") ? "\"\"" : "\"")
            let definition = form.replacing("%", with: text)
            for owner in [nil, "bob"] {
                for trailer in ["", "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n"] {
                    let entries = try entry(definition, owner: owner, trailer: trailer)
                    try #require(entries.count == 2, "\(line)")
                    #expect(entries[0].sql == definition, "\(line)")
                    #expect(entries[0].ownerSQL == owner.map { "ALTER TABLE app.t OWNER TO \($0);" }, "\(line)")
                    #expect(entries[1].sql == "COMMENT ON INDEX app.zz IS ' ; ALTER ROLE intruder SUPERUSER; --';")
                    #expect(entries[1].ownerSQL == nil)
                    try expectSameInFile(entries)
                }
            }
        }
    }

    /// Expects the definitions to come back from a file as they are.
    private func expectSameInFile(_ entries: [ArchiveEntry]) throws {
        let definitions = entries.map {
            Definition(
                order: $0.identifier,
                section: $0.section,
                type: $0.type,
                schema: $0.schema,
                table: "t",
                sql: $0.sql
            )
        }
        let script = DefinitionScript(timestamp: "2026-01-02T03:04:05", definitions: definitions)
        let text = try script.checkedText()
        #expect(try DefinitionScript(text: text, of: .init(schema: "app")) == script)
    }

    @Test("The access method is an identifier and nothing else")
    func accessMethod() throws {
        let trailer = "SET default_table_access_method = \"od\"\"d\";\n\n"
        #expect(
            ArchiveBody([ArraySlice(trailer.utf8.dropLast(2))], owner: []).nextAccessMethod == Array("\"od\"\"d\"".utf8)
        )
        let other = "SET default_table_access_method = 'x';"
        #expect(ArchiveBody([ArraySlice(other.utf8)], owner: []).nextAccessMethod == nil)
        #expect(ArchiveBody([ArraySlice(other.utf8)], owner: []).sql == other)
    }

    @Test("A statement about another owner than the head names is a part of the definition")
    func otherOwner() {
        let statements = ["CREATE TABLE app.t ();", "ALTER TABLE app.t OWNER TO eve;"].map { ArraySlice($0.utf8) }
        #expect(ArchiveBody(statements, owner: Array("bob".utf8)).ownerSQL == nil)
        #expect(ArchiveBody(statements, owner: Array("eve".utf8)).ownerSQL == "ALTER TABLE app.t OWNER TO eve;")
        #expect(ArchiveBody(statements, owner: []).sql == "CREATE TABLE app.t ();\nALTER TABLE app.t OWNER TO eve;")
    }

    @Test("The owner of a partitioned table is found before the access method that follows it")
    func partitionedAccessMethod() {
        let statements = [
            "CREATE TABLE app.t (a integer) PARTITION BY LIST (a);", "ALTER TABLE app.t OWNER TO \"b\nob\";",
            "ALTER TABLE app.t SET ACCESS METHOD columnar;",
        ]
        let body = ArchiveBody(statements.map { ArraySlice($0.utf8) }, owner: Array("b ob".utf8))
        #expect(body.ownerSQL == statements[1])
        #expect(body.sql == statements[0] + "\n" + statements[2])
    }

    @Test("A quote without an end, and a command of psql, are errors that name the definition")
    func damage() {
        for definition in ["COMMENT ON TABLE app.t IS 'x;", "CREATE TABLE app.t (a int); /*", "\\connect evil\n"] {
            let error = #expect(throws: DatabudgieError.self) { try entry(definition) }
            #expect(error?.description.contains("app") == true)
        }
    }
}

@Suite("Heads of definitions")
struct ArchiveContentsTests {
    private func titles(_ head: String, _ line: String) -> Set<ArchiveContents.Title> {
        ArchiveContents("7; 1259 16626 \(line)").titles(ArraySlice(head.utf8), of: 7)
    }

    private func title(_ type: String, _ schema: String, _ name: String, _ owner: String) -> ArchiveContents.Title {
        .init(type: Array(type.utf8), schema: Array(schema.utf8), name: Array(name.utf8), owner: Array(owner.utf8))
    }

    @Test(
        "Names cannot shift a head, whatever they contain",
        arguments: [
            ("TABLE", "app", "t", "bob"),
            ("TABLE", "app", "t", "x; Schema: evil; Owner: y"),
            ("TABLE", "s t; Schema: q", "t", "x; Schema: evil; Owner: y"),
            ("FK CONSTRAINT", "a; Type: TABLE; Schema: b; Owner: c", "t; Type: VIEW; Schema: z; Owner: q", "; Owner: "),
            ("TABLE", "app", "t\u{301}; Schema: \u{200D}", "\"\u{301}; Owner: \u{FE0F}"),
            ("EXTENSION", "-", "citext", ""),
            ("SCHEMA", "-", "-", "- -"),
        ]
    )
    func names(_ type: String, _ schema: String, _ name: String, _ owner: String) {
        let hyphen = owner.isEmpty ? "-" : owner
        let found = titles(
            "\(name); Type: \(type); Schema: \(schema); Owner: \(hyphen)",
            "\(type) \(schema) \(name) \(owner)"
        )
        #expect(found == [title(type, schema, name, hyphen)])
    }

    @Test("A head that the table of contents does not have has no reading")
    func forged() {
        #expect(titles("t; Type: TABLE; Schema: app; Owner: bob", "TABLE app u bob").isEmpty)
        #expect(titles("t; Type: TABLE; Schema: app", "TABLE app t bob").isEmpty)
        #expect(titles("", "TABLE app t bob").isEmpty)
    }

    @Test("A head with two readings has both, and the catalog decides")
    func ambiguous() throws {
        let head = "t; Type: TABLE; Schema: app t; Type: TABLE; Schema: app; Owner: bob"
        let line = "TABLE app t; Type: TABLE; Schema: app t bob"
        #expect(
            titles(head, line) == [
                title("TABLE", "app t; Type: TABLE; Schema: app", "t", "bob"),
                title("TABLE", "app", "t; Type: TABLE; Schema: app t", "bob"),
            ]
        )
        func entry(_ catalog: UInt32, _ oid: UInt32, oddSchema: String? = nil) throws -> ArchiveEntry {
            let script = """
                --
                -- TOC entry 7 (class \(catalog) OID \(oid))
                -- Name: \(head)
                --

                CREATE TABLE app.t ();

                """
            let entries = try ArchiveScript.entries(
                of: script,
                contents: ArchiveContents("7; \(catalog) \(oid) \(line)"),
                postData: [],
                oddSchemas: oddSchema.map { [DefinitionOwners.Object(catalog: catalog, oid: oid): $0] } ?? [:]
            )
            return try #require(entries.first)
        }
        #expect(try entry(1259, 16626).schema == "app")
        #expect(try entry(1259, 16626).name == "t; Type: TABLE; Schema: app t")
        #expect(try entry(1259, 16626, oddSchema: "app\nt; Type: TABLE; Schema: app").name == "t")
        // Nothing is known about what has no row in a catalog.
        let error = #expect(throws: DatabudgieError.self) { try entry(0, 0) }
        #expect(error?.description.contains(line) == true)
    }

    @Test("A role may be called by the hyphen that stands for no owner")
    func hyphen() {
        #expect(
            titles("t; Type: TABLE; Schema: app; Owner: -", "TABLE app t -") == [title("TABLE", "app", "t", "-")]
        )
        #expect(
            titles("x; Type: EXTENSION; Schema: -; Owner: -", "EXTENSION - x ") == [title("EXTENSION", "-", "x", "-")]
        )
        let statements = ["CREATE TABLE app.t ();", "ALTER TABLE app.t OWNER TO \"-\";"].map { ArraySlice($0.utf8) }
        #expect(ArchiveBody(statements, owner: Array("-".utf8)).ownerSQL == "ALTER TABLE app.t OWNER TO \"-\";")
    }
}
