import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Backups of many tables", .timeLimit(.minutes(5)))
struct ManyTablesTests {
    /// Tables with sequences; each has as many rows as its number.
    private static func tables(_ count: Int, in schema: String) -> String {
        "create schema \(schema);"
            + (1...count).map { number in
                """
                create table \(schema).t\(number) (id serial primary key, name text);
                insert into \(schema).t\(number) (name) select 'x' from generate_series(1, \(number));
                """
            }.joined()
    }

    private func configuration(_ fixture: RunFixture, _ folder: String, _ more: String) throws -> Configuration {
        try fixture.configuration("{root_location: '\(folder)', location: '{table}', \(more)}")
    }

    @Test("Each table takes one round trip more to the server, whoever reads it", arguments: [1, 2])
    func roundTrips(_ jobs: Int) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables(40, in: "few") + Self.tables(140, in: "many"))
            let few = try await trips(fixture, "few", count: 40, jobs)
            let many = try await trips(fixture, "many", count: 140, jobs)
            // Besides: a few that all tables share.
            #expect(many - few < 110)
        }
    }

    /// How often a backup waits for the server.
    private func trips(_ fixture: RunFixture, _ schema: String, count: Int, _ jobs: Int) async throws -> Int {
        try await CuttingProxy.withProxy(to: fixture.source) { proxy async throws in
            var configuration = try configuration(fixture, fixture.folder, "tables: ['\(schema).*']")
            configuration.backup.run.connection = proxy.parameters
            configuration.backup.jobs = jobs
            let report = try await BackupRun(configuration).run()
            #expect(report.failed.map(\.description) == [])
            #expect(report.finished.map(\.totals.rows).sorted() == Array(1...count))
            return proxy.roundTrips
        }
    }

    @Test(
        "A restore of each table that is emptied takes one round trip more, as small ones are loaded in one transaction"
    )
    func roundTripsOfRestore() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.tables(10, in: "few") + Self.tables(40, in: "many"))
            var trips: [Int] = []
            for (schema, count) in [("few", 10), ("many", 40)] {
                let tables = "tables: ['\(schema).*'], truncate: true"
                _ = try await BackupRun(configuration(fixture, fixture.folder + schema, tables)).run()
                trips.append(
                    try await CuttingProxy.withProxy(to: fixture.target) { proxy async throws in
                        var configuration = try configuration(fixture, fixture.folder + schema, tables)
                        configuration.restore.run.connection = proxy.parameters
                        configuration.restore.jobs = 1
                        let report = try await RestoreRun(configuration).run()
                        #expect(report.failed.map(\.description) == [])
                        #expect(report.finished.map(\.totals.rows).sorted() == Array(1...count))
                        return proxy.roundTrips
                    }
                )
            }
            #expect(trips[1] - trips[0] <= 30)
        }
    }

    @Test("On S3 each table takes a PUT for its rows and one for its sequences, and nothing is listed or read")
    func requests() async throws {
        let server = try await S3Server.shared
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables(120, in: "s"))
            try await server.withFolder { folder in
                try await FaultProxy.withProxy(to: server.endpoint) { proxy async throws in
                    var configuration = try configuration(fixture, folder.description, "tables: ['s.*']")
                    configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                    let report = try await BackupRun(configuration).run()
                    #expect(report.failed.map(\.description) == [])
                    let methods = Dictionary(grouping: proxy.requests, by: \.method).mapValues(\.count)
                    // Besides: the mark of the run, the record of the set, and once each what the server does with a file that
                    // exists and with a part that is not what was signed.
                    #expect(methods["PUT"] == 2 * 120 + 4)
                    #expect(methods["GET"] == nil)
                    // Of the first files, until the server is known to refuse to replace one.
                    #expect(methods["HEAD", default: 0] < 2 * 120)
                }
            }
        }
    }

    @Test("Columns that are known from the catalog are those that the server would describe")
    func columns() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create domain d1 as numeric(5, 2); create domain d2 as d1 check (value > 0); create type e as enum ('a');
                create type c as (x int, y text);
                create table odd ("a ""b,\u{E9}" d2, gone int, x varchar(10)[], y e, z c, w d1[], g int generated always as (1) stored);
                alter table odd drop column gone, add column late timestamptz default now();
                create table none (); create table parent (id int, k int); create table child (extra text) inherits (parent);
                create table p (k int, v text) partition by list (k); create table p1 partition of p for values in (1);
                create view v as select * from odd; create materialized view m as select * from odd;
                """
            )
            let names = ["odd", "none", "parent", "child", "p", "v", "m"]
            let configuration = try configuration(fixture, fixture.folder, "tables: [\(names.joined(separator: ", "))]")
            let report = try await BackupRun(configuration).run()
            #expect(report.failed.map(\.description) == [])
            #expect(report.finished.count == names.count)
            try await Connection.withConnection(to: fixture.source) { connection in
                for outcome in report.finished {
                    let described = try await connection.describe("select * from \(outcome.job.name)")
                    #expect(outcome.columns == described.map { JobColumn($0.name, typeOID: $0.typeOID) })
                    let file = try Data(contentsOf: URL(fileURLWithPath: try #require(outcome.path)))
                    #expect(CSVHeader.parse(Array(file), isComplete: true)?.columns == described.map(\.name))
                }
            }
        }
    }

    @Test("A file that cannot be written fails its table alone, and leaves nothing behind")
    func failures() async throws {
        let server = try await S3Server.shared
        let refusal = FaultProxy.Rule(.error(403, "AccessDenied"), method: "PUT", target: "s.t7/")
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables(40, in: "s"))
            try await server.withFolder { folder in
                try await FaultProxy.withProxy(to: server.endpoint, rules: [refusal]) { proxy async throws in
                    var configuration = try configuration(fixture, folder.description, "tables: ['s.*']")
                    configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                    let report = try await BackupRun(configuration).run()
                    #expect(report.failed.map(\.job.name) == ["s.t7"])
                    #expect(report.finished.count == 39)
                }
                let storage = S3Storage(options: server.options(), environment: [:])
                let files = await Task { try await storage.list(folder, recursive: true) }.result
                try await storage.shutdown()
                let names = try files.get().map(\.path.description)
                #expect(names.count { $0.contains("/s.t") } == 2 * 39)
                #expect(!names.contains { $0.contains("s.t7/") })
            }
        }
    }
}
