import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Why tables are restored together")
struct LoadBondTests {
    private func job(_ number: Int, _ relation: Relation, _ truncate: TruncateMode) -> RestoreJob {
        RestoreJob(
            id: JobID(.rows, of: relation.name.label, number: number),
            relation: relation,
            file: FileInfo(path: .local("x.csv"), size: 1, modified: Date(timeIntervalSince1970: 0), version: nil),
            truncate: truncate,
            isStrict: false
        )
    }

    private func groups(
        _ relations: [Relation],
        _ keys: [ForeignKey],
        _ truncate: TruncateMode = .keep
    ) -> [LoadGroup] {
        let catalog = Fixture.catalog(relations, keys: keys)
        return LoadGrouping(catalog: catalog).groups(of: relations.enumerated().map { job($0, $1, truncate) })
    }

    private let three = [Fixture.relation(1, "a"), Fixture.relation(2, "b"), Fixture.relation(3, "c")]

    @Test("A cycle is one reason for all of its tables, and a table on its own has none")
    func cycle() {
        let groups = groups(three, [Fixture.key(1, 2), Fixture.key(2, 1)])
        #expect(
            groups.map { $0.bonds.map(\.description) } == [
                ["public.a and public.b refer to one another in a cycle"], [],
            ]
        )
    }

    @Test("A table that refers to an emptied one says so")
    func truncation() {
        let groups = groups(three, [Fixture.key(1, 2)], .truncate)
        #expect(
            groups.map { $0.bonds.map(\.description) } == [
                ["public.a refers to public.b, which is emptied, and the server truncates both in one command only"],
                [],
            ]
        )
    }

    @Test("Two files of a table, partitions, and tables that are reached by way of others have words of their own")
    func others() {
        let catalog = Fixture.catalog(three, keys: [Fixture.key(1, 2), Fixture.key(2, 3)])
        let reached = LoadGrouping(catalog: catalog).groups(
            of: [job(0, three[0], .keep), job(1, three[2], .truncate)]
        )
        #expect(reached.map { $0.bonds.map(\.kind) } == [[.reach]])
        #expect(reached.first?.bonds.first?.tables == ["public.a", "public.c"])
        #expect(groups([three[0], three[0]], []).map { $0.bonds.map(\.kind) } == [[.oneTable]])
        let family = [
            Fixture.relation(1, "root", kind: .partitionedTable, children: [2]),
            Fixture.relation(2, "part", isPartition: true, parents: [1]),
        ]
        #expect(groups(family, []).map { $0.bonds.map(\.tables) } == [[["public.part", "public.root"]]])
    }

    @Test("The reasons of a group connect all of its tables, whatever the tables and keys are")
    func connected() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let count = UInt32.random(in: 2...9, using: &generator)
            let relations = (0..<count).map { Fixture.relation($0, "t\($0)") }
            let keys = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
                Fixture.key(.random(in: 0..<count, using: &generator), .random(in: 0..<count, using: &generator))
            }
            let catalog = Fixture.catalog(relations, keys: keys)
            let modes: [TruncateMode] = [.keep, .truncate, .cascade]
            let jobs = relations.enumerated().map { number, relation in
                job(number, relation, modes.randomElement(using: &generator) ?? .keep)
            }
            for group in LoadGrouping(catalog: catalog).groups(of: jobs) {
                var reached = Set([group.jobs[0].id.name])
                for _ in group.bonds {
                    for bond in group.bonds where !reached.isDisjoint(with: bond.tables) {
                        reached.formUnion(bond.tables)
                    }
                }
                #expect(reached == Set(group.jobs.map(\.id.name)), "\(keys) \(jobs.map(\.truncate))")
                #expect(group.bonds.count < group.jobs.count)
            }
        }
    }
}
