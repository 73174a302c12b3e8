import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Restore groups")
struct RestoreGroupsTests {
    private func job(_ number: Int, _ relation: Relation, _ truncate: TruncateMode) -> RestoreJob {
        RestoreJob(
            id: JobID(.rows, of: relation.name.label, number: number),
            relation: relation,
            file: FileInfo(path: .local("x.csv"), size: 1, modified: Date(timeIntervalSince1970: 0), version: nil),
            truncate: truncate,
            isStrict: false
        )
    }

    private func groups(_ names: [String], keys: [(Int, Int)], truncate: TruncateMode) -> [[String]] {
        let relations = names.enumerated().map { Fixture.relation(UInt32($0.offset), $0.element) }
        let catalog = Fixture.catalog(relations, keys: keys.map { Fixture.key(UInt32($0.0), UInt32($0.1)) })
        let jobs = relations.enumerated().map { job($0.offset, $0.element, truncate) }
        return LoadGrouping(catalog: catalog).groups(of: jobs).map { $0.jobs.map(\.relation.name.name) }
    }

    @Test("Tables that are not truncated land one by one, referenced ones first")
    func separate() {
        #expect(
            groups(["sale", "product", "note"], keys: [(0, 1)], truncate: .keep) == [["product"], ["sale"], ["note"]]
        )
    }

    @Test("A truncated table and those that refer to it land together")
    func truncated() {
        #expect(
            groups(["sale", "product", "note"], keys: [(0, 1)], truncate: .truncate) == [
                ["product", "sale"], ["note"],
            ]
        )
    }

    @Test("What refers to a truncated table by way of others lands with it, and what is not listed must be empty")
    func reached() {
        let relations = ["refund", "sale", "product", "note"].enumerated().map { Fixture.relation(UInt32($0), $1) }
        let catalog = Fixture.catalog(relations, keys: [Fixture.key(0, 1), Fixture.key(1, 2)])
        let jobs = [job(0, relations[0], .keep), job(1, relations[2], .truncate), job(2, relations[3], .truncate)]
        let groups = LoadGrouping(catalog: catalog).groups(of: jobs)
        #expect(groups.map { $0.jobs.map(\.relation.name.name) } == [["refund", "product"], ["note"]])
        #expect(groups.map { $0.truncated.map(\.name.name) } == [["refund", "sale", "product"], ["note"]])
        #expect(groups.map { $0.emptyReferrers.map(\.name.name) } == [["refund", "sale"], []])
    }

    @Test("A cycle lands together, and its constraints are deferred")
    func cycle() {
        let relations = [Fixture.relation(0, "a"), Fixture.relation(1, "b"), Fixture.relation(2, "c")]
        let keys = [Fixture.key(0, 1, name: "ab"), Fixture.key(1, 0, name: "ba"), Fixture.key(2, 0, name: "ca")]
        let catalog = Fixture.catalog(relations, keys: keys)
        let jobs = relations.enumerated().map { job($0.offset, $0.element, .keep) }
        let groups = LoadGrouping(catalog: catalog).groups(of: jobs)
        #expect(groups.map { $0.jobs.map(\.relation.name.name) } == [["a", "b"], ["c"]])
        #expect(groups.map { $0.deferredKeys.map(\.name) } == [["ab", "ba"], []])
    }

    @Test("Two files for one table land together")
    func sameTable() {
        let relation = Fixture.relation(1, "t")
        let catalog = Fixture.catalog([relation])
        let groups = LoadGrouping(catalog: catalog).groups(of: [
            job(0, relation, .truncate), job(1, relation, .truncate),
        ])
        #expect(groups.map(\.jobs.count) == [2])
    }
}
