import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Tables that depend on one that failed")
struct DependentLoadTests {
    private static let file = "2024-01-01T00:00:00.csv"

    /// `sale` refers to `product`, `refund` to `sale`; `note` to nothing.
    private func withShop(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table product (id int primary key); create table note (id int);
                create table sale (id int primary key, product int references product);
                create table refund (id int primary key, sale int references sale);
                insert into product values (1); insert into note values (9);
                """
            )
            try fixture.write("id\n2\n", to: "public.product/" + Self.file)
            try fixture.write("id,product\n1,1\n", to: "public.sale/" + Self.file)
            try fixture.write("id,sale\n1,1\n", to: "public.refund/" + Self.file)
            try fixture.write("id\n1\n", to: "public.note/" + Self.file)
            try await body(fixture)
        }
    }

    private func counts(_ fixture: RunFixture) async throws -> [String] {
        try await fixture.rows(
            fixture.target,
            """
            select (select string_agg(id::text, ',') from product), (select count(*) from sale),
                (select count(*) from refund), (select string_agg(id::text, ',' order by id) from note)
            """
        )
    }

    @Test("They are not restored when its file cannot be used, or is missing", arguments: ["other\n1\n", nil])
    func preflight(_ content: String?) async throws {
        try await withShop { fixture in
            if let content {
                try fixture.write(content, to: "public.product/" + Self.file)
            } else {
                try FileManager.default.removeItem(atPath: fixture.folder + "/public.product")
            }
            let tables = "[refund, sale, product, note]"
            let report = try await fixture.restore(fixture.yaml(tables, truncate: false))
            #expect(report.finished.map(\.job.name) == ["public.note"])
            #expect(Set(report.failed.map(\.job.name)) == ["public.product", "public.sale", "public.refund"])
            let reason = "not restored, because it depends on public.product, which failed"
            #expect(report.failed.filter { $0.message == reason }.map(\.job.name) == ["public.sale", "public.refund"])
            // The target has a product 1 of its own, which the sale of the file is not about.
            #expect(try await counts(fixture) == ["1|0|0|1,9"])
        }
    }

    @Test("They are not restored when its rows are refused")
    func load() async throws {
        try await withShop { fixture in
            try fixture.write("id\n2\ntwo\n", to: "public.product/" + Self.file)
            let report = try await fixture.restore(fixture.yaml("['public.*']", truncate: false))
            #expect(report.finished.map(\.job.name) == ["public.note"])
            #expect(report.failed.map(\.job.name) == ["public.product", "public.sale", "public.refund"])
            #expect(report.failed.last?.message == "not restored, because it depends on public.product, which failed")
            #expect(try await counts(fixture) == ["1|0|0|1,9"])
        }
    }

    @Test(
        "What is truncated together fails together, whichever of it has the problem",
        arguments: ["product", "refund"]
    )
    func truncated(_ table: String) async throws {
        try await withShop { fixture in
            try fixture.write("other\n1\n", to: "public.\(table)/" + Self.file)
            let report = try await fixture.restore(fixture.yaml("['public.*']"))
            #expect(report.finished.map(\.job.name) == ["public.note"])
            #expect(Set(report.failed.map(\.job.name)) == ["public.product", "public.sale", "public.refund"])
            let consequence = "not restored, because public.\(table) failed and both must be restored together"
            #expect(report.failed.count { $0.message == consequence } == 2)
            #expect(try await counts(fixture) == ["1|0|0|1"])
        }
    }

    @Test("A table to which the one that failed refers is restored when it is not truncated")
    func referenced() async throws {
        try await withShop { fixture in
            try fixture.write("other\n1\n", to: "public.sale/" + Self.file)
            let report = try await fixture.restore(fixture.yaml("[product, sale, note]", truncate: false))
            #expect(report.finished.map(\.job.name) == ["public.product", "public.note"])
            #expect(report.failed.map(\.job.name) == ["public.sale"])
            #expect(try await counts(fixture) == ["1,2|0|0|1,9"])
        }
    }

    @Test("A table that is reached by a cascade and cannot be emptied fails those whose cascade it is")
    func cascade() async throws {
        try await PostgresServer.withRole { role in
            try await withShop { fixture in
                let yaml = fixture.yaml("[{name: product, truncate: cascade}, note]")
                try await fixture.execute(fixture.target, "grant all on product, note to \(role)")
                let events = EventLog()
                let report = try await fixture.connected(as: role).restore(yaml, events: events)
                // Nothing is emptied, so no warning says so.
                #expect(events.warnings == [])
                #expect(report.finished.map(\.job.name) == ["public.note"])
                #expect(report.failed.map(\.job.name) == ["public.product"])
                let message = report.failed.first?.message ?? ""
                let sentence = "the role lacks TRUNCATE on the table, which 'truncate: cascade' needs"
                #expect(message.contains("public.sale: \(sentence)") && message.contains("public.refund: \(sentence)"))
            }
        }
    }

    @Test("A file that is replaced between the check and the load is refused", arguments: StorageUnderTest.allCases)
    func replacedFile(_ kind: StorageUnderTest) async throws {
        try await kind.withStorage { storage, folder in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.target,
                    "create table a (id int); create table b (x text, y text); create table c (id int)"
                )
                func write(_ text: String, _ table: String) async throws {
                    let path = folder.appending("public.\(table)").appending("latest.csv")
                    _ = try await storage.write(path, ifExists: .replace, from: SingleChunk(Array(text.utf8)))
                }
                for (table, text) in [("a", "id\n1\n"), ("b", "x,y\nleft,right\n"), ("c", "id\n1\n")] {
                    try await write(text, table)
                }
                let configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', filename: 'latest.{ext}', tables: ['public.*']}"
                )
                let environment =
                    kind == .s3 ? RunEnvironment(variables: try await S3Server.shared.environment) : RunEnvironment()
                let report = try await Connection.withConnection(to: fixture.target) { blocker in
                    try await blocker.execute("begin; lock table a in share mode")
                    async let run = RestoreRun(configuration, environment: environment).run()
                    try await poll("the load of the first table waits") {
                        try await fixture.rows(
                            fixture.target,
                            "select 1 from pg_locks where not granted and relation = 'a'::regclass"
                        ).isEmpty == false
                    }
                    // Of the same length, and with the same names.
                    try await write("y,x\nright,left\n", "b")
                    try await blocker.execute("rollback")
                    return try await run
                }
                #expect(report.finished.map(\.job.name) == ["public.a", "public.c"])
                #expect(report.failed.map(\.job.name) == ["public.b"])
                #expect(report.failed.first?.message.hasSuffix("latest.csv was replaced after it was checked") == true)
                #expect(try await fixture.rows(fixture.target, "select * from b") == [])
            }
        }
    }
}
