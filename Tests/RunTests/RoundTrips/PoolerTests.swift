import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("PgBouncer in transaction mode", .enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed"))
struct PoolerTests {
    /// Both databases through one PgBouncer.
    private func withPooler(_ body: (_ direct: RunFixture, _ pooled: RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await PgBouncer.withPooler(before: fixture.source) { source in
                var target = source
                target.keywords["dbname"] = fixture.target.keywords["dbname"]
                try await body(fixture, RunFixture(source: source, target: target, folder: fixture.folder))
            }
        }
    }

    private let schema = """
        create table t (id serial primary key, at timestamptz, v text);
        insert into t (at, v) select '2024-01-01 00:00:00+00', 'v' || i from generate_series(1, 5000) i;
        create table u (id int references t); insert into u values (1);
        create view totals as select count(*) as n from t;
        """
    private let manifest = "create table m (transaction int, action text, \"table\" text, file_path text);"

    @Test("Tables, views, queries, sequences and the manifest go through it in both directions")
    func rows() async throws {
        try await withPooler { direct, pooled in
            try await direct.onBoth(manifest)
            try await direct.execute(direct.source, schema)
            try await direct.execute(
                direct.target,
                "create table t (id serial primary key, at timestamptz, v text); create table u (id int references t)"
            )
            let yaml = """
                {root_location: \(pooled.folder), location: '{table}', truncate: true, manifest: public.m, tables: [
                  t, u, totals, {query: "select v from t join u using (id)", location: q}]}
                """
            let backup = try await pooled.backup(yaml)
            #expect(backup.failed.isEmpty, "\(backup.failed)")
            #expect(backup.finished.map(\.totals.rows) == [5_000, 1, 1, 1])
            let tables = yaml.replacing("totals, ", with: "")
            for _ in 1...2 {
                let restore = try await pooled.restore(tables)
                #expect(restore.failed.isEmpty, "\(restore.failed)")
            }
            for query in [
                "select md5(string_agg(t::text, '' order by id)) from t", "select last_value, is_called from t_id_seq",
            ] {
                #expect(try await direct.rows(direct.target, query) == direct.rows(direct.source, query))
            }
            #expect(try await direct.rows(direct.source, "select count(*) from m where action = 'backup'") == ["3"])
            #expect(try await direct.rows(direct.target, "select count(*) from m where action = 'restore'") == ["4"])
        }
    }

    @Test("Definitions go through it in both directions")
    func definitions() async throws {
        try await withPooler { direct, pooled in
            try await direct.execute(direct.source, schema)
            try await pooled.copy(pooled.ddlYAML("[t, u]"))
            #expect(try await direct.rows(direct.target, "select count(*) from t join u using (id)") == ["1"])
        }
    }

    @Test("Nothing of a run stays in the sessions that other clients get")
    func noTraces() async throws {
        try await withPooler { direct, pooled in
            try await direct.execute(direct.source, schema)
            let settings = """
                select name, setting from pg_settings where source = 'session' and name <> 'application_name'
                    and name <> 'client_encoding' order by name
                """
            #expect(try await pooled.backup(pooled.yaml("[t]")).failed.isEmpty)
            #expect(try await pooled.rows(pooled.source, settings) == [])
        }
    }
}
