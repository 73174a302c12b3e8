import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("What a problem of one table fails")
struct LoadIsolationTests {
    private static let file = FileInfo(
        path: .local("x.csv"),
        size: 1,
        modified: Date(timeIntervalSince1970: 0),
        version: nil
    )

    /// Tables `t0`, `t1` and so on, with foreign keys between them.
    private func conclude(
        _ count: Int,
        keys: [(Int, Int)] = [],
        truncate: TruncateMode = .keep,
        strict: Set<Int> = [],
        missing: Set<Int> = [],
        _ problems: [Finding]
    ) throws -> LoadIsolation.Conclusion {
        let relations = (0..<count).map { Fixture.relation(UInt32($0), "t\($0)") }
        let catalog = Fixture.catalog(relations, keys: keys.map { Fixture.key(UInt32($0.0), UInt32($0.1)) })
        var plan = RestorePlan(groups: [])
        var (jobs, lost): ([RestoreJob], [MissingLoad]) = ([], [])
        for (number, relation) in relations.enumerated() {
            let id = plan.newID(.rows, of: relation.name.label)
            if missing.contains(number) {
                lost.append(
                    MissingLoad(id: id, relation: relation, truncate: truncate, isStrict: strict.contains(number))
                )
            } else {
                jobs.append(
                    RestoreJob(
                        id: id,
                        relation: relation,
                        file: Self.file,
                        truncate: truncate,
                        isStrict: strict.contains(number)
                    )
                )
            }
        }
        plan.groups = LoadGrouping(catalog: catalog).groups(of: jobs, missing: lost)
        return try LoadIsolation(catalog: catalog, plan: plan).conclude(problems)
    }

    private func names(_ conclusion: LoadIsolation.Conclusion) -> [String] {
        conclusion.groups.flatMap(\.jobs).map(\.relation.name.name)
    }

    private let problem = Finding.problem("it is broken", of: "public.t1", hint: "mend it")

    @Test("Without a problem all are loaded")
    func none() throws {
        let conclusion = try conclude(2, [.warning("take care", of: "public.t1")])
        #expect(names(conclusion) == ["t0", "t1"])
        #expect(conclusion.failures.isEmpty)
    }

    @Test("A table fails with those that refer to it, directly or through others, and not with those that it refers to")
    func dependants() throws {
        let conclusion = try conclude(5, keys: [(3, 2), (2, 1), (1, 0)], [problem])
        #expect(names(conclusion) == ["t0", "t4"])
        #expect(
            conclusion.failures.map(\.sentence) == [
                "public.t1: it is broken",
                "public.t2: not restored, because it depends on public.t1, which failed",
                "public.t3: not restored, because it depends on public.t1, which failed",
            ]
        )
        #expect(conclusion.failures[0].hint == "mend it")
    }

    @Test("A table without a file fails what is truncated with it")
    func missing() throws {
        let conclusion = try conclude(3, keys: [(1, 0)], truncate: .truncate, missing: [1], [problem])
        #expect(names(conclusion) == ["t2"])
        #expect(conclusion.failures.map(\.job.name) == ["public.t0", "public.t1"])
        #expect(
            conclusion.failures[0].message
                == "not restored, because public.t1 failed and both must be restored together"
        )
    }

    @Test("Several problems of a table are one failure, with each hint once")
    func several() throws {
        let second = Finding.problem("it is late", of: "public.t1", hint: "mend it")
        let failures = try conclude(2, [problem, second]).failures
        #expect(failures.map(\.message) == ["it is broken; it is late"])
        #expect(failures.map(\.hint) == ["mend it"])
    }

    @Test("What is about no table of the plan, and what fails a strict one or all, stops everything with all warnings")
    func stops() {
        let warning = Finding.warning("take care")
        let everything: [(Int, [(Int, Int)], Set<Int>, Finding)] = [
            (2, [], [], .problem("the server is down")), (2, [], [], .problem("it is gone", of: "public.else")),
            (3, [], [1], problem), (3, [(2, 1)], [2], problem), (2, [(0, 1)], [], problem),
        ]
        for (count, keys, strict, problem) in everything {
            let error = #expect(throws: DatabudgieError.self) {
                _ = try conclude(count, keys: keys, strict: strict, [warning, problem])
            }
            #expect(error?.problems == [problem])
            #expect(error?.warnings == [warning])
        }
    }
}
