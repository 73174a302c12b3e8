import Foundation
import Testing

@testable import Databudgie

@Suite("SQL of masks")
struct MaskCompilerTests {
    private func column(_ name: String, _ mask: Mask?, _ type: ColumnType = MaskFixture.type("text")) -> MaskedColumn {
        MaskedColumn(name: name, value: MaskedValue(sql: "t.\"\(name)\"", type: type), mask: mask)
    }

    @Test("Without a mask nothing changes")
    func nothing() {
        #expect(MaskedColumns([column("a", nil), column("b", Mask(.keep))]) == nil)
        #expect(MaskedColumns([]) == nil)
    }

    @Test("Masks with the same 'by' share one hash, and each context has settings of its own")
    func sharing() throws {
        let masks = try #require(
            MaskedColumns([
                column("id", Mask(.keep), MaskFixture.type("int4")), column("a", Mask(.email, by: "id")),
                column("b", Mask(.name(.fullName), by: "id")), column("c", Mask(.hash)),
                column("d", Mask(.hash, context: "other")),
            ])
        )
        #expect(masks.sql.joins.components(separatedBy: "cross join lateral").count == 2)
        #expect(
            masks.labels == [
                ByteKey("a"): "email", ByteKey("b"): "full_name", ByteKey("c"): "hash", ByteKey("d"): "hash",
            ]
        )
        let key = MaskKey(.secret("databudgie-test-secret-0123456789"))
        #expect(
            masks.settings(key).map(\.name) == [
                "databudgie.mask1i", "databudgie.mask1o", "databudgie.mask2i", "databudgie.mask2o", "databudgie.mask3i",
                "databudgie.mask3o",
            ]
        )
        // Neither the secret nor a derived key is in the statement.
        let sql = masks.select(from: "x")
        #expect(masks.settings(key).allSatisfy { !sql.contains($0.value) } && !sql.contains("databudgie-test"))
    }

    @Test("Every function, operator and type of ours has its schema")
    func qualification() throws {
        let texts: [Mask] = [
            Mask(.hash), Mask(.email), Mask(.name(.fullName)), Mask(.digits), Mask(.scramble),
            Mask(.redact(first: 1, last: 1)), Mask(.filler), Mask(.choose(["a"])),
        ]
        for mask in texts {
            let masks = try #require(MaskedColumns([column("c", mask)]))
            // Without literals and identifiers in quotes.
            let code = masks.sql.list.replacing(/'[^']*'|"[^"]*"/, with: "")
            for match in code.matches(of: /([.\w]*)\(/) where !match.1.isEmpty {
                let name = String(match.1)
                let isOurs = name.hasPrefix("pg_catalog.") || ["operator", "coalesce", "bit"].contains(name)
                #expect(isOurs || name.hasSuffix("_m1") || name.hasSuffix("_m2"), "\(name) in \(mask.name)")
            }
            for match in code.matches(of: /::(\w+)/) { #expect(match.1 == "pg_catalog", "\(mask.name)") }
            #expect(code.firstMatch(of: /[^:.](<=|>=|\|\||[-+*\/%<>=])[^)]/) == nil, "\(mask.name): \(code)")
        }
    }

    @Test("A generated column is not exported with masks, but may be what others depend on")
    func generated() throws {
        var column = column("g", nil)
        column.isExported = false
        let masks = try #require(MaskedColumns([column, self.column("a", Mask(.hash, by: "g"))]))
        #expect(!masks.sql.list.hasPrefix("t.\"g\"") && masks.sql.joins.contains("t.\"g\""))
    }

    @Test("The record has the hash of an expression, and not its text")
    func labels() {
        #expect(Mask(.sql("'Ada'", isUnique: false)).recordedLabel.wholeMatch(of: /sql sha256:[0-9a-f]{16}/) != nil)
        #expect(Mask(.value("Ada")).recordedLabel == "value")
    }
}
