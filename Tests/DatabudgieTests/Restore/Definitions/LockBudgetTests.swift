import Storage
import Testing

@testable import Databudgie

@Suite("Locks of a restore with definitions")
struct LockBudgetTests {
    private func definition(_ type: String) throws -> StoredDefinition {
        let definition = Definition(order: 0, section: .preData, type: type, schema: "s", sql: "")
        return StoredDefinition(definition: definition, path: try StoragePath("s.sql"))
    }

    @Test("The estimate grows with what is created and what is dropped")
    func estimate() throws {
        #expect(LockBudget.estimate([StoredDefinition](), dropped: 0) == 0)
        #expect(LockBudget.estimate([try definition("COMMENT"), try definition("OWNER")], dropped: 0) == 0)
        #expect(
            LockBudget.estimate(
                [try definition("TABLE"), try definition("SEQUENCE"), try definition("INDEX")],
                dropped: 0
            ) == 9
        )
        #expect(LockBudget.estimate([StoredDefinition](), dropped: 2) == 12)
    }
}
