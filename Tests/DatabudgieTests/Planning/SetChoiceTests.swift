import Foundation
import Testing

@testable import Databudgie

@Suite("Whether a set has what a restore asks for")
struct SetChoiceTests {
    /// A set with data files of tables, of a backup that was asked for entries; none for an adopted set.
    private func record(_ tables: [String], entries: [SetRecord.Entry]?, definitions: Int = 0) -> SetRecord {
        SetRecord(
            id: "2026-01-02T03:04:05",
            tool: "databudgie 3.0.0",
            status: .complete,
            consistency: .snapshot,
            startedAt: Date(timeIntervalSince1970: 0),
            finishedAt: Date(timeIntervalSince1970: 1),
            entries: entries,
            totals: SetRecord.Totals(tables: tables.count, fileBytes: 0),
            tables: tables.map { name in
                SetRecord.Table(
                    schema: "public",
                    name: name,
                    columns: [],
                    file: SetRecord.DataFile(path: "\(name).csv", bytes: 1),
                    sequences: []
                )
            },
            definitions: (0..<definitions).map { SetRecord.File(path: "\($0).sql", bytes: 1) },
            foreignKeys: [],
            failures: [],
            warnings: []
        )
    }

    private func choice(
        _ names: [(name: String, exclude: [String])],
        in catalog: DatabaseCatalog? = nil,
        needsDefinitions: Bool = false
    ) throws -> SetChoice {
        SetChoice(
            try names.map { Fixture.restore(try Fixture.options($0.name, exclude: $0.exclude)) },
            catalog: catalog,
            defaultSchema: "public",
            needsDefinitions: needsDefinitions
        )
    }

    @Test(
        "A set is compared with others unless its backup was asked for all that the glob finds",
        arguments: [
            ("public.*", [], "public.*", [], false), ("public.*", ["x"], "public.*", ["x"], false),
            ("public.*", ["x", "y"], "public.*", ["x"], false), ("public.*", [], "public.*", ["x"], true),
            ("public.a*", [], "public.*", [], false), ("public.a*", [], "*.*", [], false),
            ("public.*", [], "public.a*", [], true), ("public.[ab]", [], "public.?", [], true),
            ("public.[ab]", [], "public.[ab]", [], false), ("*", [], "*", [], false),
        ]
    )
    func coverage(glob: String, exclude: [String], asked: String, excluded: [String], needsOthers: Bool) throws {
        let entry = SetRecord.Entry(name: asked, exclude: excluded.isEmpty ? nil : excluded)
        let choice = try choice([(glob, exclude)])
        #expect(choice.needsOthers(for: record([], entries: [entry])) == needsOthers)
        #expect(choice.needsOthers(for: record([], entries: nil)))
    }

    @Test("What others have is missing unless it was asked for, or is excluded from the restore")
    func others() throws {
        let choice = try choice([("public.*", ["public.no"])])
        let others = choice.names(in: record(["a", "b", "c", "no"], entries: nil))
        let some = record(["a"], entries: [SetRecord.Entry(name: "a"), SetRecord.Entry(name: "public.[b]")])
        #expect(choice.missing(in: some, of: others) == ["public.c"])
        let excluding = record(["a"], entries: [SetRecord.Entry(name: "public.?", exclude: ["b"])])
        #expect(choice.missing(in: excluding, of: others) == ["public.b"])
        #expect(choice.missing(in: record(["a", "c"], entries: nil), of: others) == ["public.b"])
        let other = try self.choice([("app.*", [])])
        #expect(other.missing(in: some, of: others) == [])
    }

    @Test("A table that is named has to be there, unless the target does not have it; its partitions do as well")
    func names() throws {
        let set = record(["a", "p_1"], entries: nil)
        #expect(try choice([("a", []), ("b", []), ("public.c", ["c"])]).missing(in: set) == ["public.b"])
        let catalog = Fixture.catalog([
            Fixture.relation(1, "a"), Fixture.relation(2, "p", kind: .partitionedTable, children: [3]),
            Fixture.relation(3, "p_1", isPartition: true, parents: [2]), Fixture.relation(4, "d"),
        ])
        let named = try choice([("a", []), ("b", []), ("p", []), ("d", [])], in: catalog)
        #expect(named.missing(in: set) == ["public.d"])
        let definitions = try choice([("a", [])], needsDefinitions: true)
        #expect(definitions.missing(in: set) == ["definitions"])
        #expect(definitions.missing(in: record(["a"], entries: nil, definitions: 1)) == [])
    }

    @Test("A set that is not whole has a flaw, which names what failed")
    func flaws() {
        var set = record(["a"], entries: nil)
        #expect(SetChoice.flaw(of: set) == nil)
        set.status = .partial
        #expect(SetChoice.flaw(of: set) == "is partial")
        set.failures = ["a", "b", "c"].map { SetRecord.Failure(table: "public.\($0)", message: "no") }
        #expect(SetChoice.flaw(of: set) == "is partial: public.a, public.b, public.c failed")
        set.supersededBy = "2026-01-03T00:00:00"
        #expect(SetChoice.flaw(of: set) == "has files that the set 2026-01-03T00:00:00 has replaced")
        #expect((1...8).map(String.init).listed() == "1, 2, 3, 4, 5 and 3 more")
    }
}
