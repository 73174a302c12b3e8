import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import Databudgie

@Suite("Indexes and keys of new tables, several at once", .timeLimit(.minutes(10)))
struct ParallelFinishingTests {
    /// So large that each of its indexes has a transaction of its own.
    private static func fill(_ table: String, _ columns: String = "i, repeat(md5(i::text), 300)") -> String {
        "insert into \(table) select \(columns) from generate_series(1, 1000) i;"
    }

    private static let shapes = """
        create schema app; create table app.parent (id int, v text, code int, primary key (id), unique (code),
            constraint late unique (id, code) deferrable initially deferred);
        \(fill("app.parent", "i, repeat(md5(i::text), 300), i"))
        create table app.child (id int primary key, v text, parent int references app.parent on delete cascade on update set null,
            code int, self int references app.child);
        \(fill("app.child", "i, repeat(md5(i::text), 300), i, i, i"))
        alter table app.child add constraint "late key" foreign key (code) references app.parent (code) deferrable initially deferred;
        comment on constraint "late key" on app.child is 'a key'; comment on constraint child_pkey on app.child is 'another';
        alter table app.child add constraint unchecked foreign key (self) references app.parent not valid;
        create index by_v on app.child (md5(v)) where id > 5; create index "by ""id"" of it" on app.child (id desc) include (self);
        cluster app.child using child_pkey; alter table app.child cluster on child_pkey;
        create unique index identity on app.parent (id); alter table app.parent replica identity using index identity;
        comment on index app.by_v is 'an index'; create statistics app.both on id, code from app.parent;
        create table app.parted (id int not null, at date not null, v text, primary key (id, at)) partition by range (at);
        create table app.parted_1 partition of app.parted for values from ('2026-01-01') to ('2027-01-01');
        create table app.parted_2 partition of app.parted for values from ('2027-01-01') to ('2028-01-01');
        insert into app.parted select i, date '2026-01-01' + i % 700, repeat(md5(i::text), 600) from generate_series(1, 1000) i;
        create index on app.parted (at); alter table app.parted add foreign key (id) references app.parent;
        create table app.leaf (id int, at date, v text, foreign key (id, at) references app.parted);
        insert into app.leaf select id, at, v from app.parted;
        create table app.small (id int primary key references app.parent, during int4range, exclude using gist (during with &&));
        insert into app.small select i, int4range(i, i + 1) from generate_series(1, 10) i;
        create materialized view app.sums as select parent, count(*) as n from app.child group by child.id;
        create unique index on app.sums (parent); create view app.odd as select * from app.child;
        create function app.noop() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger noop before insert on app.child for each row execute function app.noop();
        create policy p on app.parent using (id > 0); alter table app.parent enable row level security;
        alter table app.parent force row level security;
        """

    private func validity(_ database: ConnectionParameters, _ fixture: RunFixture) async throws -> [String] {
        try await fixture.rows(
            database,
            """
            select conrelid::regclass::text, contype, convalidated, count(*) from pg_constraint
            where connamespace = 'app'::regnamespace and contype <> 'n' group by 1, 2, 3 order by 1, 2, 3
            """
        )
    }

    @Test("The definitions are the same as in the source, and as with one at a time; so is what the server vouches for")
    func sameDump() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.shapes)
            let yaml = fixture.ddlYAML("['app.*', app.sums, app.odd]", "jobs: 4")
            let log = EventLog()
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            let report = try await fixture.restore(yaml, events: log)
            #expect(report.failed.map(\.description) == [])
            #expect(log.warnings == [])
            try await fixture.expectSameDump()
            #expect(try await validity(fixture.target, fixture) == validity(fixture.source, fixture))
            #expect(try await fixture.rows(fixture.target, "select count(*) from app.sums") == ["1000"])
        }
    }

    /// Tables whose indexes wait at a gate while they are created; in the source it is open.
    private func createGated(_ fixture: RunFixture, _ tables: [String]) async throws {
        try await fixture.execute(
            fixture.source,
            """
            create function public.pass(number int, id int) returns int immutable language plpgsql as $$ begin
                while id = 1 and not pg_catalog.pg_try_advisory_xact_lock_shared(number) loop
                    perform pg_catalog.pg_sleep(0.005);
                end loop;
                return id;
            end $$;
            """
                + tables.enumerated().map { index, table in
                    "create table \(table) (id int primary key, v text); \(Self.fill(table))"
                        + "create index \(table)_gate on \(table) (public.pass(\(index + 1), id));"
                }.joined()
        )
    }

    /// The sessions that create an index and wait, once there are so many, the leader first.
    private func builders(_ count: Int, _ fixture: RunFixture) async throws -> [String] {
        let query = """
            select pid from pg_stat_activity where state = 'active' and wait_event = 'PgSleep'
                and query like '%CREATE INDEX%' and datname = '\(fixture.target.keywords["dbname"] ?? "")'
            order by backend_start
            """
        var pids: [String] = []
        try await poll("\(count) indexes are being created") {
            pids = try await fixture.rows(fixture.source, query)
            return pids.count == count
        }
        return pids
    }

    /// Two gated tables and their backup; the body gets the restore and the session that keeps the gates of the target shut.
    private func withClosedGates(
        _ fixture: RunFixture,
        _ body: (_ yaml: String, _ keeper: Connection) async throws -> Void
    ) async throws {
        try await createGated(fixture, ["a", "b"])
        let yaml = fixture.ddlYAML("[a, b]", "jobs: 2")
        try #require(try await fixture.backup(yaml).failed.isEmpty)
        try await Connection.withConnection(to: fixture.target) { keeper in
            try await keeper.execute("select pg_advisory_lock(1), pg_advisory_lock(2)")
            try await body(yaml, keeper)
        }
    }

    @Test("Two indexes are created at the same time; that of a lost connection is created again over another one")
    func overlap() async throws {
        try await RunFixture.with { fixture in
            try await withClosedGates(fixture) { yaml, keeper in
                let log = EventLog()
                async let report = fixture.restore(yaml, events: log)
                let pids = try await builders(2, fixture)
                _ = try await fixture.rows(fixture.source, "select pg_terminate_backend(\(pids[1]))")
                try await poll("it is noticed") { !log.warnings.isEmpty }
                try await keeper.execute("select pg_advisory_unlock(1), pg_advisory_unlock(2)")
                #expect(try await report.failed.map(\.description) == [])
                #expect(log.warnings.count == 1)
                #expect(
                    log.warnings.first?.hasSuffix(": creating indexes and keys again, over another connection") == true
                )
            }
            try await fixture.expectSameDump()
        }
    }

    @Test("Cancelling the run leaves no session behind, and the rows")
    func cancellation() async throws {
        try await RunFixture.with { fixture in
            try await withClosedGates(fixture) { yaml, keeper in
                let log = EventLog()
                let run = Task { try await fixture.restore(yaml, events: log) }
                _ = try await builders(2, fixture)
                run.cancel()
                await #expect(throws: CancellationError.self) { try await run.value }
                try await fixture.expectNoTargetSessions(but: 1)
                #expect(log.warnings.contains { $0.hasPrefix("the restore stopped before indexes, constraints") })
                #expect(try await fixture.rows(fixture.target, "select count(*) from a") == ["1000"])
            }
        }
    }

    @Test(
        "A foreign key that the rows violate, and an index that cannot be created, fail with the same words as one at a time"
    )
    func failures() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                """
                create table parent (id int primary key, v text); \(Self.fill("parent"))
                create table child (id int primary key, v text, parent int references parent, other int references parent);
                \(Self.fill("child", "i, repeat(md5(i::text), 300), i, i"))
                comment on constraint child_parent_fkey on child is 'gone with it';
                create function public.half(number int) returns int immutable language plpgsql as $$ begin
                    if current_setting('databudgie.half', true) is null and number > 900 then raise 'only half'; end if; return number;
                end $$;
                set databudgie.half = 'off'; create index halves on parent (half(id)); create index fine on parent (id, half(1));
                set session_replication_role = replica; update child set parent = 5000 where id = 7;
                """
            )
            func restore(_ jobs: Int) async throws -> [String] {
                try await fixture.execute(
                    fixture.target,
                    "drop table if exists child, parent; drop function if exists half"
                )
                let yaml = fixture.ddlYAML("[parent, child]", "jobs: \(jobs)")
                let failed = try await fixture.restore(yaml).failed
                #expect(try await fixture.rows(fixture.target, "select count(*) from child") == ["1000"])
                let constraints = "select conname, convalidated from pg_constraint where contype = 'f' order by 1"
                #expect(try await fixture.rows(fixture.target, constraints) == ["child_other_fkey|t"])
                let indexes = "select count(*) from pg_class where relname in ('halves', 'fine')"
                #expect(try await fixture.rows(fixture.target, indexes) == ["1"])
                return failed.map(\.description)
            }
            try #require(try await fixture.backup(fixture.ddlYAML("[parent, child]")).failed.isEmpty)
            let one = try await restore(1)
            let four = try await restore(4)
            #expect(one == four)
            #expect(
                four.count == 3 && four.contains { $0.contains("only half") }
                    && four.contains { $0.contains("child_parent_fkey") }
            )
        }
    }
}
