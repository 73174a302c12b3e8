import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Definitions that name roles")
struct RoleDefinitionTests {
    @Test(
        "A policy is kept for the roles that exist",
        arguments: [
            ("CREATE POLICY p ON public.t TO a, b USING (x);", "CREATE POLICY p ON public.t TO a USING (x);"),
            ("CREATE POLICY p ON t TO b, a;", "CREATE POLICY p ON t TO a;"),
            (
                #"CREATE POLICY "to" ON "a.b"."to" AS RESTRICTIVE FOR SELECT TO "é, ""x", b, PUBLIC WITH CHECK ('TO b');"#,
                #"CREATE POLICY "to" ON "a.b"."to" AS RESTRICTIVE FOR SELECT TO "é, ""x", PUBLIC WITH CHECK ('TO b');"#
            ),
            (
                #"CREATE POLICY p ON t FOR ALL TO "PUBLIC", current_user USING (true);"#,
                "CREATE POLICY p ON t FOR ALL TO current_user USING (true);"
            ),
        ]
    )
    func policy(sql: String, expected: String) throws {
        let roles: Set = [ByteKey("a"), ByteKey("é, \"x")]
        let policy = try #require(PolicyRoles(sql))
        #expect(policy.sql(for: roles) == expected)
        #expect(policy.missing(in: roles).count == 1)
    }

    @Test("A policy none of whose roles exists is none")
    func policyForNobody() throws {
        let policy = try #require(PolicyRoles("CREATE POLICY p ON s.t TO a, e\u{301} USING (true);"))
        #expect(policy.sql(for: [ByteKey("é")]) == nil)
        #expect(policy.missing(in: [ByteKey("é")]).map { Array($0.utf8) } == ["a", "e\u{301}"].map { Array($0.utf8) })
    }

    @Test(
        "A statement without roles, or of another kind, is no policy for some",
        arguments: [
            "CREATE POLICY p ON t USING ('TO a');", "COMMENT ON POLICY p ON t IS 'TO x';", "CREATE POLICY p ON t TO",
            "",
        ]
    )
    func noPolicy(sql: String) {
        #expect(PolicyRoles(sql) == nil)
    }

    @Test("Privileges are cut into statements, and what another role grants stays with its role")
    func pieces() {
        let sql = """
            REVOKE ALL ON FUNCTION f() FROM PUBLIC;
            GRANT SELECT ON TABLE t TO "a;b";
            SET SESSION AUTHORIZATION x;
            GRANT SELECT ON TABLE t TO c;
            RESET SESSION AUTHORIZATION;
            GRANT ALL ON TABLE t TO d;
            """
        #expect(
            RoleStatements.pieces(of: sql) == [
                "REVOKE ALL ON FUNCTION f() FROM PUBLIC;", "GRANT SELECT ON TABLE t TO \"a;b\";",
                "SET SESSION AUTHORIZATION x;\nGRANT SELECT ON TABLE t TO c;\nRESET SESSION AUTHORIZATION;",
                "GRANT ALL ON TABLE t TO d;",
            ]
        )
    }

    private func sections(_ type: String, _ sql: String) throws -> [String] {
        let definition = Definition(
            order: 1,
            section: type == "TABLE" ? .preData : .postData,
            type: type,
            schema: "s",
            table: "t",
            sql: sql
        )
        let stored = StoredDefinition(definition: definition, path: try StoragePath("/f.sql"))
        return stored.withRowSecurityInTime().map { "\($0.definition.section.rawValue): \($0.definition.sql)" }
    }

    @Test("Row security is enabled before the rows, and forced upon the owner after them")
    func rowSecurity() throws {
        let enable = "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY;"
        let force = "ALTER TABLE ONLY s.t FORCE ROW LEVEL SECURITY;"
        let create = "CREATE TABLE s.t (a text DEFAULT 'ALTER TABLE ONLY s.t FORCE ROW LEVEL SECURITY;');"
        #expect(try sections("ROW SECURITY", enable) == ["pre-data: " + enable])
        #expect(try sections("ROW SECURITY", force) == ["post-data: " + force])
        #expect(try sections("TABLE", create) == ["pre-data: " + create])
        #expect(try sections("TABLE", create + "\n\n" + force) == ["pre-data: " + create, "post-data: " + force])
        #expect(try sections("POLICY", "CREATE POLICY p ON s.t;") == ["post-data: CREATE POLICY p ON s.t;"])
    }
}
