import Postgres
import Testing

@testable import Databudgie

@Suite("Sequences of tables")
struct TableSequenceTests {
    @Test(
        "A quote in a sequence's name is doubled in the file of sequences, whatever mark follows it",
        arguments: ["\u{301}", "\u{200D}", "\u{FE0F}", "\u{20DD}"]
    )
    func sequencesFile(mark: String) throws {
        let name = QualifiedName(schema: "public", name: "it'\(mark)s")
        let sequence = TableSequence(
            oid: Relation.OID(1),
            name: name,
            bounds: 1...9,
            isReadable: true,
            isSettable: true
        )
        #expect(Array(sequence.fileKey.utf8) == Array("\"it''\(mark)s\"".utf8))
    }
}
