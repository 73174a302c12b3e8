import Postgres
import Testing

@testable import Databudgie

@Suite("Names of the manifest table")
struct ManifestTableTests {
    @Test(
        "The table is in the schema public unless another is named",
        arguments: [("m", "public", "m"), ("Audit.My Table", "Audit", "My Table")]
    )
    func name(text: String, schema: String, name: String) throws {
        let table = try ManifestTable(text)
        #expect(table.name == QualifiedName(schema: schema, name: name))
    }

    @Test("The table's name has one or two parts", arguments: ["", ".", "a.", ".a", "a.b.c"])
    func badName(text: String) {
        let error = #expect(throws: DatabudgieError.self) { try ManifestTable(text) }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("'\(text)'") == true)
    }
}
