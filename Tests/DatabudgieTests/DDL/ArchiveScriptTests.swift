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

    @Test("A script falls into its definitions, with their owners apart and comments inside functions left alone")
    func entries() throws {
        let entries = ArchiveScript.entries(of: script, postData: [3350])
        try #require(entries.count == 3)
        #expect(entries.map(\.identifier) == [273, 226, 3350])
        #expect(entries.map(\.oid) == [16569, 16626, 16588])
        #expect(entries.map(\.dependencies) == [[7], [7, 273], [226]])
        #expect(entries.map(\.type) == ["FUNCTION", "TABLE", "FK CONSTRAINT"])
        #expect(entries.map(\.section) == [.preData, .preData, .postData])
        #expect(entries[0].sql.hasPrefix("CREATE FUNCTION app.f()"))
        #expect(entries[0].sql.hasSuffix("return new; end $$;"))
        #expect(entries[0].sql.contains("-- TOC entry 5"))
        #expect(entries[0].ownerSQL == "ALTER FUNCTION app.f() OWNER TO postgres;")
        #expect(entries[2].sql.hasSuffix("REFERENCES app.b(a);"))
        #expect(entries[2].ownerSQL == nil)
    }

    @Test("A table in another access method brings it along; the next one does not")
    func accessMethods() throws {
        let entries = ArchiveScript.entries(of: script, postData: [])
        try #require(entries.count == 3)
        #expect(entries[1].sql.hasPrefix("SET default_table_access_method = columnar;\nCREATE TABLE"))
        #expect(entries[1].sql.hasSuffix("SET default_table_access_method = DEFAULT;"))
        #expect(!entries[2].sql.contains("access_method"))
    }

    @Test("A list names the numbers of its entries")
    func list() {
        let list = """
            ;
            ; Archive created at 2026-11-23 05:16:56 UTC
            ;     TOC Entries: 46
            ;
            3343; 2606 16605 CONSTRAINT app part part_pkey postgres
            3347; 0 0 INDEX ATTACH app p1_d_idx postgres
            """
        #expect(ArchiveScript.identifiers(inList: list) == [3343, 3347])
    }
}
