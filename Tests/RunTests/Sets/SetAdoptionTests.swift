import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Sets of files without records")
struct SetAdoptionTests {
    private func adoption(_ catalog: ExampleCatalog, _ yaml: String) throws -> SetAdoption {
        SetAdoption(try Configuration.load(yaml: yaml, environment: [:]), environment: catalog.environment())
    }

    @Test("Files are grouped by their timestamps, and recorded as mixed sets", arguments: StorageUnderTest.allCases)
    func groups(_ kind: StorageUnderTest) async throws {
        try await ExampleCatalog.with(kind) { catalog in
            let yaml = """
                {root_location: '\(catalog.folder)', location: '{table}', ddl: {location: ddl}, tables: [
                  {name: 'public.*', exclude: [public.days]}, {name: public.days, query: 'select 1 from {table}', location: days}]}
                """
            let files = [
                "public.a/2020-01-01T00:00:00.csv", "public.a/sequences/2020-01-01T00:00:00.json",
                "public.a/ddl/2020-01-01T00:00:00.sql", "ddl/2020-01-01T00:00:00.json",
                "days/2020-01-01T00:00:00.csv.gz",
                "public.a/2020-01-02T00:00:00.csv.zst", "public.b/2020-01-02T00:00:00.csv",
                // A run that left only definitions, recorded and running ones, and files that are none of ours.
                "ddl/2020-01-03T00:00:00.json", "public.a/2020-01-04T00:00:00.csv", "public.a/2020-01-05T00:00:00.csv",
                "public.a/2020-01-06T00:00:00.csv.bak", "public.a/notes.csv", "catalog/2020-01-07T00:00:00.csv",
            ]
            for file in files { try await catalog.write("12345", to: file) }
            try await catalog.write(.example("2020-01-04T00:00:00"))
            try await catalog.write("{}", to: "catalog/2020-01-05T00:00:00.running")
            let adoption = try adoption(catalog, yaml)
            let found = try await adoption.find()
            #expect(found.map(\.id) == ["2020-01-02T00:00:00", "2020-01-01T00:00:00"])
            #expect(found[0].tables.map(\.label) == ["public.a", "public.b"])
            #expect(found[0].tables[0].file?.compression == "zstd" && found[0].totals.fileBytes == 10)
            try await adoption.adopt(found)
            #expect(try await adoption.find().isEmpty)

            let configuration = try Configuration.load(yaml: yaml, environment: [:])
            let sets = try await SetList(configuration, environment: catalog.environment()).read()
            let states = sets.map { "\($0.id.prefix(10)) \($0.state) \($0.summary?.consistency.rawValue ?? "-")" }
            #expect(
                states == [
                    "2020-01-05 running -", "2020-01-04 complete snapshot", "2020-01-02 complete mixed",
                    "2020-01-01 complete mixed",
                ]
            )
            let record = try await SetLookup(configuration, environment: catalog.environment()).find("2020-01-01")
                .record
            try expectFirst(record)
        }
    }

    private func expectFirst(_ record: SetRecord) throws {
        #expect(record.source == nil && record.config == nil && record.totals.rows == nil && record.totals.tables == 2)
        #expect(record.startedAt == Date(timeIntervalSince1970: 1_577_836_800))
        #expect(
            record.tables == [
                SetRecord.Table(
                    schema: "public",
                    name: "a",
                    columns: [],
                    file: SetRecord.DataFile(path: "public.a/2020-01-01T00:00:00.csv", bytes: 5),
                    sequencesFile: SetRecord.File(path: "public.a/sequences/2020-01-01T00:00:00.json", bytes: 5),
                    sequences: []
                ),
                SetRecord.Table(
                    schema: "public",
                    name: "days",
                    query: "select 1 from \"public\".\"days\"",
                    columns: [],
                    file: SetRecord.DataFile(path: "days/2020-01-01T00:00:00.csv.gz", bytes: 5, compression: "gzip"),
                    sequences: []
                ),
            ]
        )
        #expect(
            record.definitions.map(\.path) == ["ddl/2020-01-01T00:00:00.json", "public.a/ddl/2020-01-01T00:00:00.sql"]
        )
        #expect(record.definitions.allSatisfy { $0.bytes == 5 && $0.sha256 == nil })
        try #require(record.warnings.count == 1)
        #expect(record.warnings[0].hasPrefix("adopted from files that have no record"))
    }

    @Test("A dry run records nothing, and a set that was recorded meanwhile stays as it is")
    func conflicts() async throws {
        try await ExampleCatalog.with(.local) { catalog in
            try await catalog.write("12345", to: "public.a/2020-01-01T00:00:00.csv")
            var configuration = catalog.configuration
            configuration.backup.run.isDryRun = true
            let dry = SetAdoption(configuration, environment: catalog.environment())
            try await dry.adopt(try await dry.find())
            #expect(try await SetList(configuration, environment: catalog.environment()).read().isEmpty)
            let adoption = SetAdoption(catalog.configuration, environment: catalog.environment())
            let found = try await adoption.find()
            try await catalog.write(.example("2020-01-01T00:00:00"))
            let error = await #expect(throws: StorageError.self) { try await adoption.adopt(found) }
            #expect(error?.code == .alreadyExists)
            let set = try await SetLookup(catalog.configuration, environment: catalog.environment()).find()
            #expect(set.record == .example("2020-01-01T00:00:00"))
        }
    }

    @Test("The files of a backup whose records are gone become sets again")
    func ownFiles() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create schema \"s.x\"; create table \"s.x\".\"A/é\" (id serial, v text); insert into \"s.x\".\"A/é\" (v) values ('a')"
            )
            let yaml = fixture.ddlYAML("['*.*']", "compression: gzip")
            let id = try #require(try await fixture.backup(yaml).set)
            let written = try await SetLookup(try fixture.configuration(yaml)).find().record
            try FileManager.default.removeItem(atPath: fixture.folder + "/catalog")
            let adoption = SetAdoption(try fixture.configuration(yaml))
            let found = try await adoption.find()
            try #require(found.map(\.id) == [id])
            #expect(found[0].tables.map(\.label) == ["\"s.x\".A/é"])
            #expect(Set(found[0].filePaths) == Set(written.filePaths))
            #expect(found[0].totals.fileBytes == written.totals.fileBytes)
            try await adoption.adopt(found)
            let report = try await fixture.restore(yaml)
            #expect(report.failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select * from \"s.x\".\"A/é\"") == ["1|a"])
        }
    }
}
