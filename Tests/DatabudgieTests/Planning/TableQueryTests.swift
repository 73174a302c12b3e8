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
            !template.contains("from {table}") || query.sql.contains(QualifiedName(schema: "att", name: name).quoted)
        )
    }
}
