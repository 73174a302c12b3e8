import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Runs in one second")
struct EqualTimestampTests {
    private let schema = """
        create table t (id serial primary key, v text); insert into t (v) values ('a'), ('b');
        create table u (id int references t); insert into u values (1);
        """

    private var environment: RunEnvironment {
        var environment = RunEnvironment()
        environment.now = Date(timeIntervalSince1970: 1_700_000_000)
        return environment
    }

    /// The files by the time in their names.
    private func names(_ files: [String]) -> [String: Set<String>] {
        Dictionary(grouping: files) { $0.contains("22:13:20") ? "first" : $0.contains("22:13:21") ? "second" : "other" }
            .mapValues { Set($0.map { $0.replacing(/2023-11-14T22:13:2\d/, with: "TIME") }) }
    }

    @Test(
        "The second run takes the next second, with data, sequences, definitions and their list",
        arguments: [false, true]
    )
    func local(isConcurrent: Bool) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            let configuration = try fixture.configuration(
                """
                {root_location: \(fixture.folder), location: '{table}', ddl: true, tables: ['public.*',
                  {query: "select 1 as one", location: 'q-{date}'}]}
                """
            )
            let run = BackupRun(configuration, environment: environment)
            let log = EventLog()
            if isConcurrent {
                async let first = run.run()
                async let second = run.run()
                #expect(try await first.failed.isEmpty)
                #expect(try await second.failed.isEmpty)
            } else {
                #expect(try await run.run().failed.isEmpty)
                let second = try await run.run(onEvent: log.append)
                #expect(second.failed.isEmpty)
                #expect(second.finished.allSatisfy { $0.path?.contains("22:13:21") == true })
                #expect(log.notes.contains { $0.contains("this run writes its files as 2023-11-14T22:13:21") })
            }
            let names = names(try fixture.files())
            let expected = [
                "backups/ddl/TIME.json", "public.t/TIME.csv", "public.t/sequences/TIME.json", "public.u/ddl/TIME.sql",
            ]
            #expect(names["first"]?.isSuperset(of: expected) == true)
            #expect(names["first"] == names["second"])
            #expect(names["other"] == nil)
            #expect(try await RestoreRun(configuration, environment: environment).run().failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select count(*) from t") == ["2"])
        }
    }

    @Test("On S3, two runs at once both succeed")
    func s3() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, schema)
            try await S3Server.shared.withFolder { folder in
                var environment = environment
                environment.variables = try await S3Server.shared.environment
                let configuration = try fixture.configuration("{location: '\(folder)/{table}', tables: ['public.*']}")
                let run = BackupRun(configuration, environment: environment)
                async let first = run.run()
                async let second = run.run()
                let reports = try await [first, second]
                #expect(reports.flatMap(\.failed).map(\.message) == [])
                let paths = reports.map { Set($0.finished.compactMap(\.path)) }
                #expect(paths.map(\.count) == [2, 2])
                #expect(paths[0].isDisjoint(with: paths[1]))
                // All files of a run have one timestamp.
                #expect(reports.allSatisfy { Set($0.finished.map { $0.path?.suffix(23) }).count == 1 })
            }
        }
    }

    @Test("Of two runs with a manifest, each records its own files")
    func manifest() async throws {
        try await RunFixture.with { fixture in
            let manifest = "create table m (transaction int, action text, \"table\" text, file_path text);"
            try await fixture.execute(fixture.source, schema + manifest)
            let configuration = try fixture.configuration(
                "{root_location: \(fixture.folder), location: '{table}', manifest: public.m, tables: ['public.?'], exclude: [m]}"
            )
            let run = BackupRun(configuration, environment: environment)
            #expect(try await run.run().failed.isEmpty)
            #expect(try await run.run().failed.isEmpty)
            let rows = try await fixture.rows(
                fixture.source,
                "select transaction, count(distinct file_path), count(distinct right(file_path, 23)) from m group by 1 order by 1"
            )
            #expect(rows == ["1|2|1", "2|2|1"])
        }
    }
}
