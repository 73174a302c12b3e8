import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Queries with the name of a table")
struct TableQueryTests {
    private func query(_ template: String, _ name: QualifiedName) throws -> TableQuery {
        TableQuery(try Template(template), table: name, at: RunTimestamp(Date(timeIntervalSince1970: 0)))
    }

    @Test(
        "A name that ends what it is in changes the query",
        arguments: [
            ("select '{table}' as source, * from {table}", "x', att.f(), '"),
            ("select '{table}' as source, * from {table}", "x', att.f() --"),
            ("select * from {table} -- of {table}", "x\n, lateral (select att.f()) q"),
            ("select * from {table} /* of {table} */", "x */ , att.f() /*"),
            ("select $q${table}$q$ from {table}", "x$q$, att.f(), $q$"),
            ("select E'{table}' from {table}", "x', att.f() --"),
        ]
    )
    func changed(template: String, name: String) throws {
        #expect(try query(template, QualifiedName(schema: "att", name: name)).isChangedByName)
    }

    @Test(
        "A name that stays within its place does not change the query",
        arguments: [
            ("select * from {table}", "x', att.f(), '"), ("select * from {table}", "x\" from y --"),
            ("select '{table}' as source, * from {table}", "product"), ("select 1 -- {table}", "a;b"),
        ]
    )
    func unchanged(template: String, name: String) throws {
        let query = try query(template, QualifiedName(schema: "att", name: name))
        #expect(!query.isChangedByName)
        #expect(
            !template.contains("from {table}")
                || query.sql.contains("att." + (name == "product" ? name : quotedIdentifier(name)))
        )
    }

    @Test(
        "A name has quotes only where it needs them, also between quotes",
        arguments: [
            ("public", "product", "public.product"), ("public", "Sales", #"public."Sales""#),
            ("order", "user", #""order"."user""#), ("a_1", "_x9", "a_1._x9"), ("a", "1x", #"a."1x""#),
            ("a", "x$y", #"a."x$y""#), ("a.b", "c", #""a.b".c"#), ("a", "\u{e9}", "a.\"\u{e9}\""),
            ("a", "json_table", #"a."json_table""#), ("a", "name", "a.name"), ("a", "x\n", "a.\"x\n\""),
        ]
    )
    func quotes(schema: String, name: String, written: String) throws {
        let query = try query("select '{table}' as source, * from {table}", QualifiedName(schema: schema, name: name))
        #expect(query.sql == "select '\(written)' as source, * from \(written)")
        #expect(!query.isChangedByName)
    }

    @Test(
        "A table is read without its children only if ONLY is before each of its names",
        arguments: [
            ("select * from {table}", true), ("select * from only {table}", false),
            ("select * from ONLY ({table})", false),
            ("select * from only {table} a join {table} b using (id)", true),
            ("select '{table}' from only {table}", false),
            ("select 1", false), ("select * from other -- {table}", false),
        ]
    )
    func children(template: String, reads: Bool) throws {
        for name in ["city", "City"] {
            #expect(try query(template, QualifiedName(schema: "public", name: name)).readsChildren == reads)
        }
    }
}
