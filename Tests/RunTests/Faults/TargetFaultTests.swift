import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Targets that fail half-way", .timeLimit(.minutes(5)))
struct TargetFaultTests {
    private static let rows = """
        insert into a select n, repeat(md5(n::text), 16) from generate_series(1, 3000) n;
        insert into b select n from generate_series(1, 100) n;
        """

    private static let old = "insert into a values (1, 'old'); insert into b values (1);"

    @Test(
        "A table for which the server's disk has no space keeps its rows, and the others are restored",
        .enabled(if: geteuid() == 0, "only root can mount a small disk")
    )
    func fullDisk() async throws {
        try await withTemporaryFolder { disk in
            let socket = try await PostgresServer.shared.superuser.keywords["host"] ?? ""
            let owner = try FileManager.default.attributesOfItem(atPath: socket)[.ownerAccountID] as? Int ?? 0
            try #require(mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=700,uid=\(owner)") == 0, "errno \(errno)")
            defer { umount2(disk, 2) }
            try await RunFixture.with { fixture in
                let tables = "create table a (id int, text text); create table b (id int primary key);"
                try await fixture.execute(fixture.source, tables + Self.rows)
                let name = "small_\(ProcessInfo.processInfo.processIdentifier)"
                try await fixture.execute(fixture.target, "create tablespace \(name) location '\(disk)'")
                do {
                    try await fixture.execute(
                        fixture.target,
                        tables + "alter table a set tablespace \(name);" + Self.old
                    )
                    let yaml = fixture.yaml("[public.a, public.b]")
                    #expect(try await fixture.backup(yaml).failed.isEmpty)
                    let report = try await fixture.restore(yaml)
                    #expect(report.failed.map(\.job.name) == ["public.a"])
                    let message = report.failed.first?.message ?? ""
                    #expect(message.contains("No space left on device") && message.contains("53100"), "\(message)")
                    #expect(!message.contains("\n"))
                    #expect(try await fixture.contents(fixture.target, ["a"]) == ["(1,old)"])
                    let restored = try await fixture.contents(fixture.target, ["b"])
                    #expect(restored == (try await fixture.contents(fixture.source, ["b"])))
                } catch {
                    try? await fixture.execute(fixture.target, "drop table if exists a")
                    try? await fixture.execute(fixture.target, "drop tablespace \(name)")
                    throw error
                }
                try await fixture.execute(fixture.target, "drop table a")
                try await fixture.execute(fixture.target, "drop tablespace \(name)")
            }
        }
    }

    @Test("A privilege that is revoked during a restore fails its table, which keeps its rows")
    func revoked() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                let tables = "create table a (id int primary key, text text); create table b (id int primary key);"
                try await fixture.onBoth(tables + "grant all on a, b to \(role);")
                try await fixture.execute(fixture.source, Self.rows)
                try await fixture.execute(
                    fixture.target,
                    Self.old + """
                        create function wait() returns trigger language plpgsql as
                            'begin perform pg_advisory_lock_shared(9000); return new; end';
                        create trigger wait before insert on a for each row when (new.id = 1) execute function wait();
                        """
                )
                let yaml = fixture.yaml("[public.a, public.b]")
                #expect(try await fixture.backup(yaml).failed.isEmpty)
                let limited = fixture.connected(as: role)
                let report = try await Connection.withConnection(to: fixture.target) { gate in
                    try await gate.execute("select pg_advisory_lock(9000)")
                    async let run = limited.restore(yaml)
                    let waiting = """
                        select 1 from pg_locks where not granted and locktype = 'advisory'
                        and database = (select oid from pg_database where datname = current_database())
                        """
                    try await poll("the load waits") {
                        try await fixture.rows(fixture.target, waiting).isEmpty == false
                    }
                    try await fixture.execute(fixture.target, "revoke all on b from \(role)")
                    try await gate.execute("select pg_advisory_unlock(9000)")
                    return try await run
                }
                #expect(report.failed.map(\.job.name) == ["public.b"])
                #expect(report.failed.first?.message.contains("permission denied for table b (SQLSTATE 42501)") == true)
                #expect(try await fixture.contents(fixture.target, ["b"]) == ["(1)"])
                let restored = try await fixture.contents(fixture.target, ["a"])
                #expect(restored == (try await fixture.contents(fixture.source, ["a"])))
            }
        }
    }
}
