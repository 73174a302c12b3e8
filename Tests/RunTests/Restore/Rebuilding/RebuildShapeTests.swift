import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Indexes and keys that are built after the rows")
struct RebuildShapeTests {
    private static let more = "indexes: rebuild, foreign_keys: rebuild"
    private let tables = #"['s.*', 'odd. "schema".*']"#

    private func yaml(_ fixture: RunFixture, _ more: String = Self.more) -> String {
        fixture.yaml(tables).replacing("tables:", with: "\(more), tables:")
    }

    /// Both databases with the tables, the source with rows, and a backup of it.
    private func withTables(_ body: (RunFixture) async throws -> Void) async throws {
        let version = try await ServerBuild.shared.majorVersion
        let newer = RebuiltSchema.newer.filter { $0.key <= version }.values.joined()
        try await RunFixture.with { fixture in
            for database in [fixture.source, fixture.target] {
                try await fixture.execute(database, RebuiltSchema.tables + RebuiltSchema.kept)
                try await fixture.execute(database, RebuiltSchema.rows)
                if !newer.isEmpty { try await fixture.execute(database, newer) }
            }
            try await fixture.execute(fixture.target, "delete from s.seen; update s.product set note = 'old'")
            try #require(try await fixture.backup(yaml(fixture)).failed.map(\.sentence) == [])
            try await body(fixture)
        }
    }

    /// What depends on what: triggers of foreign keys have their OIDs in their names.
    private func dependencies(_ fixture: RunFixture) async throws -> [String] {
        try await fixture.rows(
            fixture.target,
            """
            select regexp_replace(pg_describe_object(classid, objid, objsubid), '_\\d{5,}', '', 'g') collate "C" as object,
                regexp_replace(pg_describe_object(refclassid, refobjid, refobjsubid), '_\\d{5,}', '', 'g') collate "C" as needed,
                deptype
            from pg_depend where objid >= 16384 order by 1, 2, 3
            """
        )
    }

    /// Everything that an index or a constraint has beyond its definition.
    private func details(_ fixture: RunFixture) async throws -> [String] {
        try await fixture.rows(
            fixture.target,
            """
            select x.relname, i.indisclustered, i.indisreplident, i.indimmediate, i.indisvalid, x.reloptions, x.reltablespace,
                x.relowner::regrole, array(select attstattarget from pg_attribute where attrelid = x.oid order by attnum),
                obj_description(x.oid, 'pg_class'), obj_description(c.oid, 'pg_constraint'), c.condeferrable, c.condeferred,
                c.conislocal, c.coninhcount
            from pg_index i join pg_class x on x.oid = indexrelid left join pg_constraint c on c.conindid = x.oid
                and c.conrelid = i.indrelid and c.contype in ('p', 'u', 'x')
            where x.oid >= 16384 order by x.relname collate "C"
            """
        )
            + fixture.rows(
                fixture.target,
                """
                select conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, condeferrable, condeferred, conislocal,
                    coninhcount, connoinherit, conparentid <> 0, conindid::regclass, obj_description(oid, 'pg_constraint')
                from pg_constraint where oid >= 16384 order by 1, 2
                """
            )
    }

    /// The OIDs of indexes and foreign keys, by their names.
    private func numbers(_ fixture: RunFixture) async throws -> [String: String] {
        let rows = try await fixture.rows(
            fixture.target,
            """
            select relname, oid from pg_class where relkind in ('i', 'I') and oid >= 16384 and relname !~ '^pg_toast'
            union all select conname, oid from pg_constraint where contype = 'f' and conparentid = 0
            """
        )
        let pairs = rows.map { $0.split(separator: "|").map(String.init) }
        return Dictionary(pairs.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
    }

    private func rows(_ fixture: RunFixture, in database: ConnectionParameters) async throws -> [String] {
        try await fixture.rows(
            database,
            """
            select 'product', p::text from s.product p union all select 'maker', m::text from s.maker m
            union all select 'event', e::text from s.event e union all select 'seen', s::text from s.seen s
            union all select 'hen', h::text from s.hen h union all select 'heir', a::text from s.ancestor a
            order by 1, 2
            """
        )
    }

    @Test("All kinds of them come back exactly as they were, and what could not come back stays")
    func shapes() async throws {
        try await withTables { fixture in
            let definitions = try await fixture.definitions(of: fixture.target)
            let (before, details) = (try await numbers(fixture), try await details(fixture))
            let dependencies = try await dependencies(fixture)
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture), events: log)
            #expect(report.failed.map(\.sentence) == [])
            #expect(try await rows(fixture, in: fixture.target) == rows(fixture, in: fixture.source))

            #expect(try await fixture.definitions(of: fixture.target) == definitions)
            #expect(try await self.details(fixture) == details)
            #expect(try await self.dependencies(fixture) == dependencies)

            let after = try await numbers(fixture)
            #expect(Set(after.keys) == Set(before.keys))
            let kept = Set(after.filter { before[$0.key] == $0.value }.map(\.key))
            let partitioned = ["event_pkey", "event_1_pkey", "event_2_pkey", "event_2a_pkey"]
            let newer = try await ServerBuild.shared.majorVersion >= 18 ? ["booking_n", "filly_pkey", "lax_maker"] : []
            #expect(
                kept.sorted()
                    == (partitioned + [
                        "calls", "grouped_pkey", "maker_code", "maker_pkey", "quiet_maker_fkey",
                        "referred_n_key",
                        "referrer_id_fkey", "with_extension",
                    ] + newer).sorted()
            )
            let reasons = [
                "s.grouped: the index grouped_pkey is kept during the load, because a view, rule or function depends on it",
                "s.maker: the index maker_pkey is kept during the load, because the foreign key quiet_maker_fkey of s.quiet needs it",
                "s.own: the index calls is kept during the load, because it calls functions that may depend on the search path",
                "s.own: the index with_extension is kept during the load, because it belongs to an extension",
                "s.quiet: the foreign key quiet_maker_fkey is kept during the load, because it could not be put back exactly as it is",
                "s.event: the index event_pkey is kept during the load, because it is that of a key of a partitioned table",
            ]
            #expect(Set(reasons).subtracting(log.warnings).isEmpty, "\(log.warnings)")
            #expect(
                log.notes.contains(
                    "s.hen: the foreign keys hen_egg_fkey, of_hen and the index hen_pkey are dropped for the load and built again "
                        + "after it"
                ),
                "\(log.notes)"
            )
        }
    }

    @Test(
        "The index of a table that has a foreign table as a partition stays: of its parts alone it would not become valid"
    )
    func foreignPartition() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(
                """
                create table p (id int, n int) partition by range (id);
                create table p_1 partition of p for values from (0) to (10);
                create table p_2 partition of p for values from (10) to (20) partition by list (n);
                """
            )
            try await fixture.execute(fixture.source, "insert into p values (1, 2)")
            try await fixture.execute(
                fixture.target,
                """
                create foreign data wrapper w; create server s foreign data wrapper w;
                create foreign table p_3 partition of p_2 for values in (3) server s;
                create index whole on p (n); create index part on p_1 (n);
                """
            )
            let yaml = fixture.yaml("[p]", truncate: false).replacing("tables:", with: "indexes: rebuild, tables:")
            try #require(try await fixture.backup(yaml).failed.map(\.sentence) == [])
            let indexes =
                "select oid::regclass, oid from pg_class where relkind in ('i', 'I') and relname !~ '^pg_' order by relname"
            let before = try await fixture.rows(fixture.target, indexes)
            let log = EventLog()
            #expect(try await fixture.restore(yaml, events: log).failed.map(\.sentence) == [])
            #expect(
                log.warnings == [
                    "public.p: the index whole is kept during the load, because a foreign table is a partition of its table"
                ]
            )
            let after = try await fixture.rows(fixture.target, indexes)
            #expect(zip(before, after).filter { $0 != $1 }.map { $0.0.hasPrefix("part|") } == [true])
            #expect(try await fixture.rows(fixture.target, "select from pg_index where not indisvalid") == [])
            #expect(try await fixture.rows(fixture.target, "select * from p_1") == ["1|2"])
        }
    }

    @Test("What is configured as 'keep' is not touched", arguments: [true, false])
    func kept(indexes: Bool) async throws {
        try await withTables { fixture in
            let definitions = try await fixture.definitions(of: fixture.target)
            let before = try await numbers(fixture)
            let more = indexes ? "indexes: keep, foreign_keys: rebuild" : "indexes: rebuild, foreign_keys: keep"
            #expect(try await fixture.restore(yaml(fixture, more)).failed.map(\.sentence) == [])
            let after = try await numbers(fixture)
            #expect(try await fixture.definitions(of: fixture.target) == definitions)
            let isIndexKept = ["product key", "covering", "heirs", "hashes"].map { before[$0] == after[$0] }
            let isKeyKept = ["its maker", "hen_egg_fkey", "ancestor_maker_fkey"].map { before[$0] == after[$0] }
            #expect(isKeyKept == [!indexes, !indexes, !indexes])
            // Foreign keys need the first one.
            #expect(isIndexKept == (indexes ? [true, true, true, true] : [true, false, false, false]))
        }
    }

    @Test("When a load fails, they are the ones that were there, with the old rows")
    func failure() async throws {
        try await withTables { fixture in
            try await fixture.execute(
                fixture.target,
                "alter table s.heir add constraint small check (extra < 2) not valid; delete from s.heir"
            )
            let (before, rows) = (try await numbers(fixture), try await rows(fixture, in: fixture.target))
            let report = try await fixture.restore(yaml(fixture))
            #expect(report.failed.contains { $0.job.name == "s.heir" }, "\(report.failed)")
            let after = try await numbers(fixture)
            // Tables that have nothing to do with that one are groups of their own.
            for name in ["ancestor_pkey", "heirs", "product key", "hashes", "apart", "its maker", "seen_at_fkey"] {
                #expect(after[name] == before[name], "\(name)")
            }
            #expect(try await self.rows(fixture, in: fixture.target) == rows)
        }
    }

    @Test("An index that is in a tablespace, or not where the role's new ones would be, is built where it was")
    func tablespaces() async throws {
        let name = "space_\(UInt32.random(in: 0 ... .max))"
        try await Connection.withConnection(to: PostgresServer.shared.superuser) { connection in
            try await connection.execute("set allow_in_place_tablespaces = on")
            try await connection.execute("create tablespace \(name) location ''")
            do {
                try await RunFixture.with { fixture in
                    try await fixture.onBoth(
                        """
                        create table t (id int, constraint t_key primary key (id) using index tablespace \(name), n int);
                        create index t_n on t (n); create index t_s on t (n) tablespace \(name) where n > 0;
                        insert into t values (1, 1);
                        """
                    )
                    let database = try #require(fixture.target.keywords["dbname"])
                    try await fixture.execute(
                        fixture.target,
                        "alter database \(quotedIdentifier(database)) set default_tablespace = \(name)"
                    )
                    let yaml = fixture.yaml("[t]").replacing("tables:", with: "\(Self.more), tables:")
                    try #require(try await fixture.backup(yaml).failed.isEmpty)
                    let (before, definitions) = (
                        try await numbers(fixture), try await fixture.definitions(of: fixture.target)
                    )
                    #expect(try await fixture.restore(yaml).failed.map(\.sentence) == [])
                    #expect(try await fixture.definitions(of: fixture.target) == definitions)
                    let after = try await numbers(fixture)
                    #expect(["t_key", "t_n", "t_s"].allSatisfy { before[$0] != after[$0] })
                }
            } catch {
                try await connection.execute("drop tablespace \(name)")
                throw error
            }
            try await connection.execute("drop tablespace \(name)")
        }
    }
}
