import DatabudgieTestSupport
import Foundation
import Postgres
import Synchronization
import Testing

@testable import Databudgie

@Suite("Destinations that have to be confirmed")
struct DestinationTests {
    private struct Refused: Error {}

    private func withBackup(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table a (id int); create table b (id int); insert into a values (1); insert into b values (1)"
            )
            try #require(try await fixture.backup(yaml(fixture)).failed.isEmpty)
            try await fixture.execute(
                fixture.target,
                """
                create table a (id int primary key); create table child (id int references a); create table b (id int);
                insert into a values (9); insert into b values (9)
                """
            )
            try await body(fixture)
        }
    }

    private func yaml(_ fixture: RunFixture, _ more: String = "safe_hosts: []") -> String {
        """
        {root_location: \(fixture.folder), location: '{table}', \(more),
         tables: [{name: public.a, truncate: true}, {name: public.b}]}
        """
    }

    /// Runs a restore, and returns what it asked about.
    private func asked(
        _ fixture: RunFixture,
        _ configuration: Configuration,
        refusing: Bool = false
    ) async throws -> [RestoreDestination] {
        let asked = Mutex<[RestoreDestination]>([])
        do {
            let report = try await RestoreRun(configuration).run { destination in
                _ = destination
            } confirm: { destination in
                asked.withLock { $0.append(destination) }
                if refusing { throw Refused() }
            }
            #expect(report.failed.map(\.message) == [])
        } catch is Refused {}
        return asked.withLock { $0 }
    }

    private func expectOldRows(_ fixture: RunFixture) async throws {
        #expect(
            try await fixture.rows(fixture.target, "select 'a', id from a union all select 'b', id from b") == [
                "a|9", "b|9",
            ]
        )
    }

    @Test(
        "It is asked once, before anything is changed, and shows what is replaced: no empty table, and none that is kept"
    )
    func question() async throws {
        try await withBackup { fixture in
            for transaction in ["group", "all"] {
                let configuration = try fixture.configuration(
                    yaml(fixture, "safe_hosts: [x], transaction: \(transaction)")
                )
                let questions = try await asked(fixture, configuration, refusing: true)
                #expect(questions.map(\.replaced) == [["public.a"]])
                #expect(questions.first?.host == fixture.target.keywords["host"])
                #expect(questions.first?.address == "")
                #expect(questions.first?.database == fixture.target.keywords["dbname"])
                try await expectOldRows(fixture)
            }
            let configuration = try fixture.configuration(yaml(fixture))
            #expect(try await asked(fixture, configuration).count == 1)
            #expect(try await fixture.rows(fixture.target, "select id from a") == ["1"])
            #expect(try await fixture.rows(fixture.target, "select id from b order by 1") == ["1", "9"])
        }
    }

    @Test("Tables that definitions replace are shown, and still there when it is refused", arguments: ["group", "all"])
    func definitions(transaction: String) async throws {
        try await RunFixture.with { fixture in
            let yaml = fixture.ddlYAML("[public.a, public.new]", "safe_hosts: [x], transaction: \(transaction)")
            try await fixture.execute(fixture.source, "create table a (id int, x int); create table new (id int)")
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            try await fixture.execute(fixture.target, "create table a (id int); insert into a values (9)")
            let configuration = try fixture.configuration(yaml)
            let questions = try await asked(fixture, configuration, refusing: true)
            #expect(questions.map(\.replaced) == [["public.a"]])
            #expect(try await fixture.names(fixture.target).contains { $0.contains("new") } == false)
            #expect(try await fixture.rows(fixture.target, "select * from a") == ["9"])
            #expect(try await asked(fixture, configuration).count == 1)
            #expect(try await fixture.rows(fixture.target, "select * from a") == [])
        }
    }

    @Test("Nothing is asked for a listed host, by 'yes', in a dry run, or without the key")
    func unasked() async throws {
        try await withBackup { fixture in
            let host = try #require(fixture.target.keywords["host"])
            for key in ["safe_hosts: ['\(host)']", "safe_hosts: [x, '/*']", "safe_hosts: null", "strict: false"] {
                #expect(try await asked(fixture, fixture.configuration(yaml(fixture, key))).isEmpty, "\(key)")
            }
            var configuration = try fixture.configuration(yaml(fixture))
            configuration.restore.assumesYes = true
            #expect(try await asked(fixture, configuration).isEmpty)
            configuration.restore.assumesYes = false
            configuration.restore.run.isDryRun = true
            #expect(try await asked(fixture, configuration).isEmpty)
        }
    }

    @Test("With nobody to ask it is refused, and nothing was changed")
    func nobody() async throws {
        try await withBackup { fixture in
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml(fixture)) }
            #expect(error?.code == .configuration)
            #expect(error?.effect == .nothingChanged)
            #expect(error?.message.contains("is not one of 'safe_hosts'") == true)
            try await expectOldRows(fixture)
        }
    }
}
