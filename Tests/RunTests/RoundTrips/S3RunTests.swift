import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Runs on S3")
struct S3RunTests {
    @Test("Tables go to S3 and come back, with credentials from the environment", arguments: ["null", "gzip", "zstd"])
    func roundTrip(_ compression: String) async throws {
        try await RunFixture.with { fixture in
            try await S3Server.shared.withFolder { folder in
                let setup = "create table \"a b?#%+/x\" (id int, x text); create table t (id int primary key);"
                try await fixture.onBoth(setup)
                try await fixture.execute(
                    fixture.source,
                    """
                    insert into "a b?#%+/x" select i, repeat(md5(i::text), 10) from generate_series(1, 50000) i;
                    insert into t values (1), (2);
                    """
                )
                var environment = RunEnvironment()
                environment.variables = try await S3Server.shared.environment
                let configuration = try fixture.configuration(
                    "{location: '\(folder)/{table}', compression: \(compression), truncate: true, tables: ['public.*']}"
                )
                for _ in 1...2 {
                    environment.now += 1
                    let backup = try await BackupRun(configuration, environment: environment).run()
                    #expect(backup.failed.map(\.message) == [])
                    #expect(backup.finished.map(\.totals.rows) == [50_000, 2])
                    let restore = try await RestoreRun(configuration, environment: environment).run()
                    #expect(restore.failed.map(\.message) == [])
                    #expect(restore.finished.map(\.totals.rows) == [50_000, 2])
                }
                let digest = "select md5(string_agg(t::text, ';' order by id)) from \"a b?#%+/x\" t"
                let expected = try await fixture.rows(fixture.source, digest)
                #expect(try await fixture.rows(fixture.target, digest) == expected)
            }
        }
    }

    @Test("Credentials that can only write back up tables, sequences and definitions")
    func writeOnly() async throws {
        let server = try await S3Server.shared
        let denied = FaultProxy.Fault.error(403, "AccessDenied")
        let rules = ["HEAD", "GET", "DELETE"].map { FaultProxy.Rule(denied, method: $0) }
        try await RunFixture.with { fixture in
            try await server.withFolder { folder in
                try await fixture.execute(
                    fixture.source,
                    "create table t (id serial primary key, x text); insert into t (x) values ('a'), ('b');"
                )
                try await FaultProxy.withProxy(to: server.endpoint, rules: rules) { proxy async throws in
                    var configuration = try fixture.configuration(
                        "{root_location: '\(folder)', location: '{table}', ddl: true, tables: ['public.*']}"
                    )
                    configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                    let environment = RunEnvironment()
                    let backup = try await BackupRun(configuration, environment: environment).run()
                    #expect(backup.failed.map(\.message) == [])
                    #expect(backup.finished.map(\.totals.rows) == [2])
                }
                var configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', ddl: true, tables: ['public.*']}"
                )
                configuration.restore.run.s3 = server.options()
                let restore = try await RestoreRun(configuration, environment: RunEnvironment()).run()
                #expect(restore.failed.map(\.message) == [])
                #expect(try await fixture.rows(fixture.target, "select * from t order by 1") == ["1|a", "2|b"])
            }
        }
    }

    @Test("A missing bucket and a wrong secret are reported before a query runs")
    func preflight() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            var environment = RunEnvironment()
            environment.variables = try await S3Server.shared.environment
            let elsewhere = try fixture.configuration("{location: 's3://no-such-bucket-here/{table}', tables: [t]}")
            let missing = await #expect(throws: StorageError.self) {
                try await BackupRun(elsewhere, environment: environment).run()
            }
            #expect(missing?.description.contains("no-such-bucket-here") == true)
            environment.variables["AWS_SECRET_ACCESS_KEY"] = "wrong"
            let bucket = try await S3Server.shared.bucket
            let here = try fixture.configuration("{location: 's3://\(bucket)/wrong/{table}', tables: [t]}")
            let wrong = await #expect(throws: StorageError.self) {
                try await BackupRun(here, environment: environment).run()
            }
            #expect(wrong?.code == .wrongCredentials)
        }
    }
}
