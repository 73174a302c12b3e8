import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Statements for other programs")
struct SetStatementsTests {
    private func set(_ catalog: String, _ tables: [SetRecord.Table]) throws -> StoredSet {
        let record = SetRecord(
            id: "2026-01-02T03:04:05",
            tool: "databudgie 3.0.0",
            status: .complete,
            consistency: .snapshot,
            startedAt: Date(timeIntervalSince1970: 0),
            finishedAt: Date(timeIntervalSince1970: 0),
            totals: SetRecord.Totals(tables: tables.count, fileBytes: 0),
            tables: tables,
            definitions: [],
            foreignKeys: [],
            failures: [],
            warnings: []
        )
        return StoredSet(record: record, catalog: try StoragePath(catalog))
    }

    private func table(_ name: String?, _ type: String = "integer", path: String = "a/x.csv") -> SetRecord.Table {
        SetRecord.Table(
            schema: name == nil ? nil : "public",
            name: name,
            columns: [SetRecord.Column(name: "id", type: type)],
            rows: 1,
            file: SetRecord.DataFile(path: path, bytes: 1),
            sequences: []
        )
    }

    private func text(_ set: StoredSet, _ program: SetStatements.Program) throws -> String {
        try SetStatements(set, for: program).pieces().joined()
    }

    @Test("Files in S3 are read through the AWS command line, and a download that breaks off is an error")
    func s3() throws {
        var zstd = table("a", path: "it's/x.csv.zst")
        zstd.file?.compression = "zstd"
        let set = try set("s3://bucket/shop/catalog", [table("b"), zstd])
        let psql = try text(set, .psql)
        #expect(
            psql.contains(
                #"\copy "public"."b" from program 'aws s3 cp --only-show-errors ''s3://bucket/shop/a/x.csv'' -' with (format csv, header true)"#
            )
        )
        let compressed = #"""
            from program 'bash -c ''set -o pipefail; aws s3 cp --only-show-errors ''\''''s3://bucket/shop/it''\''''\''\''''''\''''s/x.csv.zst''\'''' - | zstd -dcq''' with
            """#
        #expect(psql.contains(compressed), "\(psql)")
        let duckdb = try text(set, .duckdb)
        #expect(
            duckdb.contains("read_csv('s3://bucket/shop/it''s/x.csv.zst', ") && duckdb.contains("compression = 'zstd'")
        )
        #expect(duckdb.contains("-- first: INSTALL httpfs; CREATE SECRET"))
    }

    @Test("A type that is none is not written into a statement")
    func types() throws {
        let hostile = "integer); drop table x; --"
        for program in SetStatements.Program.allCases {
            let text = try text(try set("/data/catalog", [table("a", hostile)]), program)
            #expect(!text.contains("drop table"), "\(text)")
        }
    }

    @Test("A name or an id that breaks a line stays within its comment, string or identifier")
    func breaks() throws {
        var set = try set("/data/catalog", [table("a\n\\! true\n"), table("b", path: "x\n\\! true\n.csv")])
        set.record.id = "x\n\\! true"
        set.record.tables[0].columns = []
        set.record.tables[0].rows = nil
        let text = try text(set, .psql)
        #expect(!text.split(separator: "\n").contains { $0.hasPrefix("\\!") }, "\(text)")
        #expect(text.contains("-- public.b: psql cannot read a path with a line break\n"))
    }

    @Test("Relations that a program would take for one get different names")
    func names() throws {
        let tables = [table("T"), table("t"), table("t"), table(nil), table(nil)]
        let set = try set("/data/catalog", tables)
        let views = try text(set, .duckdb).split(separator: "\n").filter { $0.hasPrefix("create or replace view") }
        #expect(
            views
                == ["\"public\".\"T\"", "\"public\".\"t_2\"", "\"public\".\"t_3\"", "\"query\"", "\"query_2\""].map {
                    "create or replace view \($0) as"
                }
        )
        let psql = try text(set, .psql)
        for name in ["\"T\"", "\"t\"", "\"t_2\""] { #expect(psql.contains("create table \"public\".\(name) (")) }
    }

    @Test("A record whose paths lead elsewhere is refused")
    func paths() throws {
        for program in SetStatements.Program.allCases {
            #expect(throws: DatabudgieError.self) {
                try text(try set("/data/catalog", [table("a", path: "../../etc/passwd")]), program)
            }
        }
    }
}
