import Postgres
import Testing

@testable import Databudgie

@Suite("Foreign keys in two steps")
struct ForeignKeyDefinitionTests {
    private func parsed(_ sql: String, _ type: String = "FK CONSTRAINT") -> ForeignKeyDefinition? {
        ForeignKeyDefinition(
            Definition(order: 1, section: .postData, type: type, schema: "app", table: "child", sql: sql)
        )
    }

    @Test("A key is added without a look at the rows, validated, and removed, with its names as they are written")
    func steps() throws {
        let sql = """
            ALTER TABLE ONLY app."Child ; x"
                ADD CONSTRAINT "a ""fk"" x" FOREIGN KEY (a, "b )") REFERENCES "other schema".parent(a, "NOT") \
            MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
            """
        let key = try #require(parsed(sql))
        #expect(key.referencing == QualifiedName(schema: "app", name: "Child ; x"))
        #expect(key.referenced == QualifiedName(schema: "other schema", name: "parent"))
        #expect(key.name == "a \"fk\" x")
        #expect(key.adding == sql.dropLast() + " NOT VALID;")
        #expect(key.validating == "ALTER TABLE ONLY app.\"Child ; x\" VALIDATE CONSTRAINT \"a \"\"fk\"\" x\";")
        #expect(key.removing == "ALTER TABLE ONLY app.\"Child ; x\" DROP CONSTRAINT \"a \"\"fk\"\" x\";")
    }

    @Test(
        "A key that is not valid or not enforced, of a partitioned table, and anything else is left as it is",
        arguments: [
            "ALTER TABLE ONLY a.c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x) NOT VALID;",
            "ALTER TABLE ONLY a.c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x) NOT ENFORCED;",
            "ALTER TABLE a.c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x);",
            "ALTER TABLE ONLY a.c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x); DROP TABLE x;",
            "ALTER TABLE ONLY a.c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x)",
            "ALTER TABLE ONLY c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x);",
            "ALTER TABLE ONLY a.c ADD CONSTRAINT k CHECK (x > 1);", "",
        ]
    )
    func others(_ sql: String) {
        #expect(parsed(sql) == nil)
    }

    @Test("Only definitions of foreign keys are taken apart")
    func type() {
        let sql = "ALTER TABLE ONLY a.c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES a.p(x);"
        #expect(parsed(sql) != nil)
        #expect(parsed(sql, "CONSTRAINT") == nil)
    }
}
