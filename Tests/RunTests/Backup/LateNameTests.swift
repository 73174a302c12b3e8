import Postgres
import Storage
import Testing

@testable import Databudgie

/// What has a name when a backup reads it may not be what had it when the backup was planned.
@Suite("Names that change during a backup")
struct LateNameTests {
    private static let schema = """
        create schema att;
        create table att.t (id serial primary key);
        insert into att.t default values;
        create table att.log (what text);
        create function att.f() returns boolean language plpgsql as
            $$ begin insert into att.log values ('called'); return true; end $$;
        """

    /// Plans a backup of the schema, runs SQL in another session, and passes on what was planned before it.
    private func withStalePlan(
        _ sql: String,
        _ body: (DatabaseSession, BackupPlan) async throws -> Void
    ) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema)
            let configuration = try fixture.configuration(fixture.yaml("[att.t]"))
            let settings = try RunSettings(configuration, for: .backup, in: RunEnvironment(variables: [:]))
            try await StorageRouter.withStorages(settings) { storages in
                let session = Session(settings: settings, storages: storages, recorder: RunRecorder { _ in })
                try await session.withDatabase { database in
                    let catalog = try await database.readCatalog(without: nil)
                    let plan = try BackupPlanner(catalog: catalog, timestamp: settings.timestamp, isStrict: false)
                        .plan(configuration.backup.tables)
                    try await fixture.execute(fixture.source, sql)
                    try await body(database, plan)
                }
            }
            #expect(try await fixture.rows(fixture.source, "select count(*) from att.log") == ["0"])
        }
    }

    @Test("A view in the place of a sequence is not read")
    func sequence() async throws {
        let sql = """
            alter sequence att.t_id_seq rename to moved;
            create view att.t_id_seq as select 1::bigint as last_value, att.f() as is_called;
            """
        try await withStalePlan(sql) { session, plan in
            // Writing would be refused by a read-only transaction as well; here the function could do it.
            try await session.withTransaction(.writing) {
                let states = try await SequenceReader(connection: session.connection)
                    .read(plan.jobs.flatMap(\.sequences))
                for state in states.values {
                    let error = #expect(throws: DatabudgieError.self) { try state.get() }
                    #expect(error?.message.contains("att.t_id_seq was renamed or replaced during the backup") == true)
                }
                #expect(states.count == 1)
            }
        }
    }

    @Test("A view in the place of a table is not read")
    func table() async throws {
        let sql = "alter table att.t rename to moved; create view att.t as select att.f() as id;"
        try await withStalePlan(sql) { session, plan in
            let job = try #require(plan.jobs.first)
            let error = await #expect(throws: PostgresError.self) {
                try await session.withTransaction(.snapshot) {
                    let states = try await SequenceReader(connection: session.connection).read(job.sequences)
                    let export = JobExport(
                        session: session,
                        job: job,
                        catalog: DatabaseCatalog(defaultSchema: "public", relations: [], foreignKeys: []),
                        states: states.mapValues { _ in .success(SequenceState(lastValue: 1, isCalled: true)) },
                        defined: [],
                        written: WrittenFiles(storages: session.storages)
                    )
                    _ = try await export.run()
                }
            }
            #expect(error?.message.contains("access to non-system view") == true)
        }
    }

    @Test("A view that is named is read, and the next table is restricted again")
    func named() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.schema + "create view att.v as select id from att.t;")
            let report = try await fixture.backup(
                fixture.yaml("[att.v, att.t, {query: 'select * from att.v', location: q}]")
            )
            #expect(report.failed.isEmpty)
            #expect(report.finished.map(\.totals.rows) == [1, 1, 1])
        }
    }
}
