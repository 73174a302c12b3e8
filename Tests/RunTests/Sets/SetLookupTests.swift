import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Looking a set up")
struct SetLookupTests {
    private func problem(_ catalog: ExampleCatalog, _ name: String) async -> DatabudgieError? {
        await #expect(throws: DatabudgieError.self) {
            try await SetLookup(catalog.configuration, environment: catalog.environment()).find(name)
        }
    }

    @Test(
        "The newest complete set is the latest, and newer ones that are not are named",
        arguments: StorageUnderTest.allCases
    )
    func latest(_ kind: StorageUnderTest) async throws {
        try await ExampleCatalog.with(kind) { catalog in
            try await catalog.write(.example("2026-01-01T00:00:00"))
            try await catalog.write(.example("2026-01-01T00:00:01", consistency: .mixed))
            try await catalog.write(.example("2026-01-01T00:00:02", status: .partial))
            try await catalog.write(.example("2026-01-01T00:00:03", supersededBy: "2026-01-01T00:00:05"))
            try await catalog.write("[", to: "catalog/2026-01-01T00:00:04.json")
            try await catalog.write("{}", to: "catalog/2026-01-01T00:00:05.running")
            let set = try await SetLookup(catalog.configuration, environment: catalog.environment()).find()
            #expect(set.record == .example("2026-01-01T00:00:01", consistency: .mixed))
            #expect(set.warnings.count == 3)
            #expect(set.warnings[0].message.contains("00:00:04 is passed over: the set record"))
            #expect(
                set.warnings.dropFirst().map(\.message) == [
                    "the newer set 2026-01-01T00:00:03 is passed over: its files were replaced by those of 2026-01-01T00:00:05",
                    "the newer set 2026-01-01T00:00:02 is passed over: it is partial",
                ]
            )
        }
    }

    @Test("A set is found by its id, or by as much of it as no other set has")
    func names() async throws {
        try await ExampleCatalog.with(.local) { catalog in
            for day in ["01", "02", "12"] { try await catalog.write(.example("2026-01-\(day)T00:00:00")) }
            try await catalog.write("{}", to: "catalog/2026-01-02T00:00:01.running")
            try await catalog.write("{}", to: "catalog/2026-01-03T00:00:01.running")
            for name in ["2026-01-02", "2026-01-02T00:00:00"] {
                let set = try await SetLookup(catalog.configuration, environment: catalog.environment()).find(name)
                #expect(set.record.id == "2026-01-02T00:00:00" && set.warnings.isEmpty)
            }
            let ambiguous = await problem(catalog, "2026-01-0")
            #expect(ambiguous?.message == "2 sets begin with '2026-01-0': 2026-01-02T00:00:00, 2026-01-01T00:00:00")
            #expect(ambiguous?.code == .configuration && ambiguous?.hint == "give more of the id")
            let running = await problem(catalog, "2026-01-03")
            #expect(running?.message == "2026-01-03T00:00:01 is not a set yet: its run has not ended, or was killed")
            let missing = await problem(catalog, "2025")
            #expect(missing?.message == "there is no set '2025' in \(catalog.folder)/catalog")
            #expect(await problem(catalog, "")?.message.hasPrefix("3 sets begin with ''") == true)
        }
    }

    @Test("Without a complete set there is no latest one")
    func none() async throws {
        try await ExampleCatalog.with(.local) { catalog in
            let empty = await problem(catalog, "latest")
            #expect(empty?.message == "there are no sets in \(catalog.folder)/catalog")
            #expect(empty?.code == .nothingToDo)
            try await catalog.write(.example("2026-01-01T00:00:02", status: .partial))
            let partial = await problem(catalog, "latest")
            #expect(partial?.message == "there is no complete set in \(catalog.folder)/catalog")
            #expect(partial?.warnings.count == 1)
        }
    }

    @Test("Tables are chosen by names and globs")
    func tables() async throws {
        func table(_ schema: String?, _ name: String?) -> SetRecord.Table {
            SetRecord.Table(schema: schema, name: name, columns: [], sequences: [])
        }
        var record = SetRecord.example("2026-01-01T00:00:00")
        record.tables = [
            table("a", "x"), table("a", "y[1]"), table("b", "x"), table("a.b", "c"), table(nil, "days"),
            table(nil, nil),
        ]
        let set = StoredSet(record: record, catalog: .local("c"))
        func kept(_ names: [String], _ excluded: [String] = []) throws -> [String] {
            var set = set
            try set.keepTables(names, excluding: excluded)
            return set.record.tables.map(\.label)
        }
        #expect(try kept([]).count == 6)
        #expect(try kept(["x"]) == ["a.x", "b.x"])
        #expect(try kept(["a.*"], ["x"]) == ["a.y[1]"])
        #expect(try kept(["a.y[1]", "\"a.b\".c", "days"]) == ["a.y[1]", "\"a.b\".c", "days"])
        let error = #expect(throws: DatabudgieError.self) { try kept(["z", "x", "c.*"]) }
        #expect(
            error?.problems.map(\.message) == [
                "the set 2026-01-01T00:00:00 has no table 'z'", "the set 2026-01-01T00:00:00 has no table 'c.*'",
            ]
        )
    }
}
