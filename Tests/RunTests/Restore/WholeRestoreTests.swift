import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Restores in one transaction")
struct WholeRestoreTests {
    /// Two tables that are truncated together, and one that would be restored by itself, after them.
    private static let schema = """
        create table a (id serial primary key, x text);
        create table b (id int generated always as identity primary key, a int references a);
        create table c (id int primary key, b int);
        create index on a (x);
        """

    private static let sourceRows = """
        insert into a (x) select 'new' from generate_series(1, 50);
        insert into b (a) select id from a; insert into c select id, id from b;
        """

    private static let targetRows = """
        insert into a (x) values ('old'), ('old'); select setval('a_id_seq', 900);
        insert into b (a) values (1), (2); insert into c values (7, 1);
        """

    private func yaml(_ fixture: RunFixture, _ more: String = "tables: ['public.*']") -> String {
        "{root_location: \(fixture.folder), location: '{table}', truncate: true, transaction: all, \(more)}"
    }

    private func withBackup(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.schema)
            try await fixture.execute(fixture.source, Self.sourceRows)
            try await fixture.execute(fixture.target, Self.targetRows)
            try #require(try await fixture.backup(yaml(fixture)).failed.isEmpty)
            try await body(fixture)
        }
    }

    /// Where and how each row, table, index and sequence of the target is stored.
    private func state(_ fixture: RunFixture) async throws -> [String] {
        let tables = try await ["a", "b", "c"].asyncFlatMap {
            try await fixture.rows(fixture.target, "select tableoid, ctid, xmin, \($0).* from \($0) order by ctid")
        }
        let files = try await fixture.rows(
            fixture.target,
            """
            select oid::regclass, relfilenode, relkind from pg_class
            where relnamespace = 'public'::regnamespace order by oid
            """
        )
        let sequences = try await fixture.rows(
            fixture.target,
            "select last_value, log_cnt, is_called from a_id_seq union all select * from b_id_seq"
        )
        return tables + files + sequences + (try await fixture.definitions(of: fixture.target))
    }

    @Test("A failure of the last table leaves rows, storage, sequences and definitions of all as they were")
    func failure() async throws {
        try await withBackup { fixture in
            try await fixture.execute(fixture.target, "alter table c add check (id < 50)")
            let before = try await state(fixture)
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture), events: log)
            #expect(report.finished.isEmpty)
            #expect(report.effect == .rolledBack)
            #expect(report.failed.map(\.job.name) == ["public.c", "public.a", "public.b"])
            #expect(report.failed.first?.message.contains("c_id_check") == true)
            #expect(
                report.failed.last?.message
                    == "rolled back, because public.c failed; 'transaction: all' restores everything or nothing"
            )
            // The first two were loaded, and not reported as finished.
            let started = log.all.compactMap { if case .started(let job) = $0 { job.name } else { nil } }
            #expect(started == ["public.a", "public.b", "public.c"])
            #expect(!log.all.contains { if case .finished = $0 { true } else { false } })
            #expect(try await state(fixture) == before)
        }
    }

    @Test("All tables land together, with their sequences and their rows in the manifest")
    func success() async throws {
        try await withBackup { fixture in
            let manifest = ", manifest: public.log, tables: [a, b, c]"
            var configuration = try fixture.configuration(yaml(fixture, "strict: false" + manifest))
            _ = try await ManifestCreation(configuration, for: .restore).run()
            try await fixture.execute(fixture.target, "alter table c add check (id < 50)")
            #expect(try await RestoreRun(configuration).run().failed.count == 3)
            #expect(try await fixture.rows(fixture.target, "select * from log") == [])

            try await fixture.execute(fixture.target, "alter table c drop constraint c_id_check")
            let report = try await RestoreRun(configuration).run()
            #expect(report.failed.map(\.message) == [])
            #expect(report.effect == nil)
            #expect(report.finished.map(\.job.name) == ["public.a", "public.b", "public.c"])
            let counts = "select (select count(*) from a), (select count(*) from b), (select count(*) from c)"
            #expect(try await fixture.rows(fixture.target, counts) == ["50|50|50"])
            let sequences =
                "select last_value, is_called from a_id_seq union all select last_value, is_called from b_id_seq"
            #expect(try await fixture.rows(fixture.target, sequences) == ["50|t", "50|t"])
            #expect(
                try await fixture.rows(fixture.target, "select \"table\" from log order by 1")
                    == ["public.a", "public.b", "public.c"]
            )
            #expect(try await fixture.rows(fixture.target, "select count(distinct xmin::text) from log") == ["1"])
            // What is recorded is not loaded again.
            let id = try await fixture.rows(fixture.target, "select distinct transaction from log")
            configuration.restore.run.resumeID = id.first.flatMap(Int.init)
            #expect(try await RestoreRun(configuration).run().skipped.count == 3)
        }
    }

    @Test("A problem that is found beforehand touches nothing, though it is of one table only")
    func preflight() async throws {
        try await withBackup { fixture in
            try await fixture.execute(fixture.target, "alter table c drop column b")
            let before = try await state(fixture)
            let lines = await fixture.preflightLines(yaml(fixture))
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix("public.c: ") == true)
            #expect(try await state(fixture) == before)
        }
    }

    @Test("A dry run names all jobs and changes nothing")
    func dryRun() async throws {
        try await withBackup { fixture in
            let before = try await state(fixture)
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture), isDryRun: true, events: log)
            #expect(report.failed.isEmpty)
            let planned = log.all.compactMap { if case .planned(_, let jobs) = $0 { jobs.count } else { nil } }
            #expect(planned == [3])
            #expect(try await state(fixture) == before)
        }
    }

    @Test("A constraint that is checked at the commit fails the table that it is of")
    func deferred() async throws {
        try await withBackup { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create function refuse() returns trigger language plpgsql as $$ begin
                    raise exception 'refused' using schema = tg_table_schema, table = tg_table_name;
                end $$;
                create constraint trigger refuse after insert on b deferrable initially deferred
                    for each row execute function refuse();
                """
            )
            let before = try await state(fixture)
            let report = try await fixture.restore(yaml(fixture, "triggers: fire, tables: ['public.*']"))
            #expect(report.failed.first?.job.name == "public.b")
            #expect(report.failed.first?.message.contains("refused") == true)
            #expect(report.failed.count == 3)
            #expect(try await state(fixture) == before)
        }
    }

    @Test("Tables are created in the same transaction, and are gone when the last one fails", arguments: [false, true])
    func definitions(fails: Bool) async throws {
        try await RunFixture.with { fixture in
            let yaml = fixture.ddlYAML("['public.*']", "transaction: all")
            try await fixture.execute(fixture.source, Self.schema + Self.sourceRows)
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            if fails {
                try fixture.forgetSets()
                try fixture.write("id,b\n1,1\n1,1\nx,1\n", to: "public.c/2999-01-01T00:00:00.csv")
            }
            let report = try await fixture.restore(yaml)
            guard fails else {
                #expect(report.failed.map(\.message) == [])
                try await fixture.expectEqualDefinitions()
                #expect(try await fixture.rows(fixture.target, "select last_value from a_id_seq") == ["50"])
                #expect(try await fixture.rows(fixture.target, "select count(*) from c") == ["50"])
                return
            }
            #expect(report.failed.map(\.job.name).sorted() == ["public.a", "public.b", "public.c"])
            #expect(report.effect == .rolledBack)
            #expect(report.definitions == [])
            #expect(try await fixture.names(fixture.target) == [])
        }
    }

    @Test("A table that cannot be created touches nothing")
    func missingDefinition() async throws {
        try await RunFixture.with { fixture in
            let yaml = fixture.ddlYAML("['public.*']", "transaction: all")
            try await fixture.execute(fixture.source, Self.schema + Self.sourceRows)
            try #require(try await fixture.backup(yaml).failed.isEmpty)
            try fixture.forgetSets()
            let file = try #require(try fixture.files().first { $0.hasPrefix("public.c/ddl/") })
            try FileManager.default.removeItem(atPath: fixture.folder + "/" + file)
            let error = await #expect(throws: DatabudgieError.self) { try await fixture.restore(yaml) }
            #expect(error?.effect == .nothingChanged)
            #expect(error?.message.contains("public.c: there is no definition in ") == true)
            #expect(try await fixture.names(fixture.target) == [])
        }
    }

    @Test("A database that is re-created cannot be rolled back, so 'clean' is refused")
    func clean() async throws {
        try await withBackup { fixture in
            var configuration = try fixture.configuration(yaml(fixture, "ddl: {clean: true}, tables: ['public.*']"))
            configuration.restore.assumesYes = true
            let before = try await state(fixture)
            let error = await #expect(throws: DatabudgieError.self) { try await RestoreRun(configuration).run() }
            #expect(error?.code == .configuration)
            #expect(error?.message.hasPrefix("'transaction: all' and 'clean' exclude each other") == true)
            #expect(try await state(fixture) == before)
        }
    }

    @Test("A sequence that other rows use is set after the transaction, and only goes forward")
    func sharedSequence() async throws {
        try await RunFixture.with { fixture in
            let schema = """
                create sequence s; create table t (id int default nextval('s')); create table u (id int default nextval('s'));
                """
            try await fixture.onBoth(schema)
            try await fixture.execute(fixture.source, "insert into t select from generate_series(1, 20)")
            try await fixture.execute(fixture.target, "insert into u default values; alter table t add check (id < 20)")
            try #require(try await fixture.backup(yaml(fixture, "tables: [t]")).failed.isEmpty)
            #expect(try await fixture.restore(yaml(fixture, "tables: [t]")).failed.count == 1)
            #expect(try await fixture.rows(fixture.target, "select last_value from s") == ["1"])
            try await fixture.execute(fixture.target, "alter table t drop constraint t_id_check")
            #expect(try await fixture.restore(yaml(fixture, "tables: [t]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select last_value from s") == ["20"])
            try await fixture.execute(fixture.target, "select setval('s', 500)")
            #expect(try await fixture.restore(yaml(fixture, "tables: [t]")).failed.isEmpty)
            #expect(try await fixture.rows(fixture.target, "select last_value from s") == ["500"])
        }
    }

    @Test("The value of a sequence that is set inside the transaction is rolled back with it")
    func sequenceRollback() async throws {
        struct Stop: Error {}
        try await withBackup { fixture in
            let configuration = try fixture.configuration(yaml(fixture))
            let query = "select last_value, log_cnt, is_called from a_id_seq"
            let before = try await fixture.rows(fixture.target, query)
            let options =
                "select seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle, seqtypid from pg_sequence order by 1"
            let optionsBefore = try await fixture.rows(fixture.target, options)
            try await fixture.session(configuration, .restore) { session in
                let catalog = try await session.readCatalog(without: nil)
                let table = try #require(catalog.named("public.a").first)
                let sequence = try #require(table.sequences.first)
                #expect(sequence.isOwned)
                let job = SequenceJob(
                    id: JobID(.sequences, of: "public.a", number: 0),
                    relation: table,
                    file: FileInfo(path: try StoragePath("a.json"), size: 0, modified: Date(), version: nil),
                    rows: .loaded,
                    isStrict: false,
                    selection: .exactName("a"),
                    place: "test.yml:1"
                )
                let setting = SequenceSetting(
                    job: job,
                    states: [(sequence, SequenceState(lastValue: 33, isCalled: false))]
                )
                let setter = SequenceSetter(session: session, users: catalog.sequenceUsers)
                await #expect(throws: Stop.self) {
                    try await session.withTransaction(.writing) {
                        try await setter.setTransactional([setting], existing: [sequence.oid])
                        throw Stop()
                    }
                }
                #expect(try await fixture.rows(fixture.target, query) == before)
                try await session.withTransaction(.writing) {
                    try await setter.setTransactional([setting], existing: [sequence.oid])
                }
            }
            #expect(try await fixture.rows(fixture.target, query) == ["33|0|f"])
            #expect(try await fixture.rows(fixture.target, options) == optionsBefore)
        }
    }
}

extension Sequence {
    /// One after another.
    fileprivate func asyncFlatMap<Result>(_ body: (Element) async throws -> [Result]) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results += try await body(element) }
        return results
    }
}
