import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Whether indexes and keys are built after the rows")
struct RebuildChoicesTests {
    private func relation(_ rows: Int?, oid: UInt32 = 1) -> Relation {
        Relation(
            oid: oid,
            name: .init(schema: "public", name: "t\(oid)"),
            kind: .table,
            isPartition: false,
            parents: [],
            children: [],
            columns: [],
            estimatedRows: rows,
            sequences: [],
            isReadable: true
        )
    }

    private func job(
        _ relation: Relation,
        bytes: Int64,
        _ name: String = "t.csv",
        number: Int = 0,
        truncate: TruncateMode = .truncate
    ) throws -> RestoreJob {
        RestoreJob(
            id: JobID(.rows, of: relation.name.label, number: number),
            relation: relation,
            file: FileInfo(path: try StoragePath(name), size: bytes, modified: Date(), version: nil),
            truncate: truncate,
            isStrict: false
        )
    }

    private func choices(_ jobs: [RestoreJob], minimumRows: Int = 1_000) -> RebuildChoices {
        let catalog = DatabaseCatalog(
            defaultSchema: "public",
            relations: Set(jobs.map(\.relation)).sorted { $0.oid < $1.oid },
            foreignKeys: []
        )
        let group = LoadGroup(number: 0, jobs: jobs, truncated: [], deferredKeys: [])
        return RebuildChoices(group, [:], LoadEstimate(catalog: catalog, minimumRows: minimumRows))
    }

    @Test("A file without a record has as many rows as its size suggests, and a compressed one more")
    func sizes() throws {
        for (name, bytes, expected) in [
            ("t.csv", Int64(59_999), false), ("t.csv", 60_000, true), ("t.csv.gz", 15_000, true),
            ("t.csv.zst", 14_000, false),
            ("t.csv.gz", .max, true),
        ] {
            let job = try job(relation(nil), bytes: bytes, name)
            #expect(choices([job])[job].isWanted == expected, "\(name) \(bytes)")
        }
    }

    @Test("Files of one table count together")
    func several() throws {
        let table = relation(10)
        let jobs = [try job(table, bytes: 40_000), try job(table, bytes: 40_000, number: 1)]
        #expect(choices(jobs)[jobs[0]].isWanted && choices(jobs)[jobs[1]].isWanted)
        #expect(!choices([jobs[0]])[jobs[0]].isWanted)
    }

    @Test("Rows that are added count against those that are there, if their number is known")
    func shares() throws {
        for (present, expected) in [(nil as Int?, false), (0, true), (3_333, true), (3_400, false)] {
            let job = try job(relation(present), bytes: 60_000, truncate: .keep)
            #expect(choices([job])[job].isWanted == expected, "\(String(describing: present))")
        }
    }

    @Test("The configuration decides over size and shares")
    func modes() throws {
        var job = try job(relation(nil), bytes: 1)
        (job.indexes, job.foreignKeys) = (.rebuild, .automatic)
        #expect(choices([job])[job].indexes == .demanded && choices([job])[job].foreignKeys == .no)
        job = try self.job(relation(nil), bytes: 1_000_000)
        (job.indexes, job.foreignKeys) = (.keep, .automatic)
        #expect(choices([job])[job].indexes == .no && choices([job])[job].foreignKeys == .worthwhile)
    }
}
