import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("Loads without indexes and keys")
struct RebuildRunTests {
    private static let tables = """
        create table parent (id int primary key);
        create table child (id int constraint child_key primary key, parent int constraint child_parent references parent, n int);
        create index child_n on child (n);
        """
    private static let more = "indexes: rebuild, foreign_keys: rebuild"

    private func yaml(_ fixture: RunFixture, _ tables: String = "[parent, child]", _ more: String = "") -> String {
        fixture.yaml(tables).replacing("tables:", with: more.isEmpty ? "tables:" : "\(more), tables:")
    }

    /// Both databases with the tables, and a backup of the source's rows.
    private func withBackup(_ rows: String, _ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth(Self.tables)
            try await fixture.execute(fixture.source, rows)
            try #require(try await fixture.backup(yaml(fixture)).failed.map(\.sentence) == [])
            try await body(fixture)
        }
    }

    /// The OIDs of all indexes and foreign keys, in the order of their names.
    private func numbers(_ fixture: RunFixture) async throws -> [String] {
        try await fixture.rows(
            fixture.target,
            """
            select relname collate "C" as name, oid from pg_class where relname in ('child_key', 'child_n', 'parent_pkey')
            union all select conname, oid from pg_constraint where conname = 'child_parent' order by 1
            """
        )
    }

    /// How many of the pages of a table have nothing but frozen rows.
    private func frozenPages(_ fixture: RunFixture, _ table: String) async throws -> [String] {
        try await fixture.rows(
            fixture.target,
            // From version 16 on the server adds pages by the dozen, and the last ones are empty.
            "select relallvisible > relpages / 2 from pg_class where oid = '\(table)'::regclass"
        )
    }

    // MARK: - The decision

    private static let many = """
        insert into parent select generate_series(1, 50);
        insert into child select n, n % 50 + 1, n from generate_series(1, 100000) n;
        """

    @Test("By default a large load is one of them, and a small one is not")
    func automatic() async throws {
        try await withBackup(Self.many) { fixture in
            let before = try await numbers(fixture)
            let log = EventLog()
            #expect(try await fixture.restore(yaml(fixture), events: log).failed.map(\.sentence) == [])
            let after = try await numbers(fixture)
            // The parent is small, and its key stays.
            #expect(zip(before, after).map { $0 == $1 } == [false, false, false, true])
            #expect(
                log.notes.filter { $0.contains("dropped") } == [
                    "public.child: the foreign key child_parent and the indexes child_key, child_n are dropped for the load and "
                        + "built again after it"
                ]
            )
            #expect(log.warnings == [])
            #expect(try await frozenPages(fixture, "child") == ["t"])
            #expect(try await frozenPages(fixture, "parent") == ["t"])
            #expect(
                try await fixture.rows(fixture.target, "select count(*), sum(n) from child") == ["100000|5000050000"]
            )

            let again = yaml(fixture, "[parent, child]", "indexes: keep, foreign_keys: keep")
            #expect(try await fixture.restore(again).failed.map(\.sentence) == [])
            #expect(try await numbers(fixture) == after)
        }
    }

    @Test("Rows that are added to a table count against those that are there", arguments: [false, true])
    func appended(isLarge: Bool) async throws {
        try await withBackup(Self.many) { fixture in
            let rows = isLarge ? 350_000 : 1_000
            try await fixture.execute(
                fixture.target,
                """
                insert into parent select generate_series(51, 60);
                insert into child select -n, 51, n from generate_series(1, \(rows)) n; analyze child;
                """
            )
            let before = try await numbers(fixture)
            let yaml = fixture.yaml("[parent, child]", truncate: false)
            #expect(try await fixture.restore(yaml).failed.map(\.sentence) == [])
            let after = try await numbers(fixture)
            #expect(zip(before, after).map { $0 == $1 } == [isLarge, isLarge, isLarge, true])
            #expect(try await fixture.rows(fixture.target, "select count(*) from child") == ["\(100_000 + rows)"])
            // Others may have seen the table, so its rows are not frozen.
            #expect(try await frozenPages(fixture, "child") == ["f"])
        }
    }

    @Test("The rows of a large new table are frozen, too")
    func created() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, Self.tables + Self.many)
            try await fixture.copy(fixture.ddlYAML("[parent, child]"))
            #expect(try await frozenPages(fixture, "child") == ["t"])
            #expect(try await fixture.rows(fixture.target, "select count(*) from child") == ["100000"])
            try await fixture.expectEqualDefinitions()
        }
    }

    @Test("The plan has the locks of what is dropped")
    func plan() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            let yaml = yaml(fixture, "[child]", Self.more)
            let plan = try await RestoreRun(try fixture.configuration(yaml)).plan()
            let locks = plan.groups.flatMap(\.locks)
            #expect(locks.contains(RunPlan.Lock(table: "public.parent", mode: "ACCESS EXCLUSIVE")), "\(locks)")
            let kept = self.yaml(fixture, "[child]", "indexes: keep, foreign_keys: keep")
            let others = try await RestoreRun(try fixture.configuration(kept)).plan().groups.flatMap(\.locks)
            #expect(others.contains(RunPlan.Lock(table: "public.parent", mode: "ROW SHARE")), "\(others)")
        }
    }

    // MARK: - What stays

    @Test(
        "What the load needs stays, and a warning says why",
        arguments: [
            ("mode: upsert", "'mode: upsert' recognizes rows by them"),
            ("mode: skip_existing", "'mode: skip_existing' recognizes rows by them"),
            ("truncate: true, max_rejects: 3", "'max_rejects' rejects rows by them"),
        ]
    )
    func needed(option: String, reason: String) async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            let before = try await numbers(fixture)
            let log = EventLog()
            let yaml =
                "{root_location: \(fixture.folder), location: '{table}', tables: [{name: child, \(option)}], \(Self.more)}"
            try await fixture.execute(fixture.target, "insert into parent values (1)")
            #expect(try await fixture.restore(yaml, events: log).failed.map(\.sentence) == [])
            #expect(try await numbers(fixture) == before)
            let warning = "public.child: its indexes and foreign keys are kept during the load, because \(reason)"
            #expect(log.warnings.contains(warning), "\(log.warnings)")
        }
    }

    @Test("Triggers that fire may rely on all of them")
    func triggers() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create function f() returns trigger language plpgsql as 'begin return null; end';
                create trigger t after insert on parent for each row execute function f();
                """
            )
            let before = try await numbers(fixture)
            let log = EventLog()
            let yaml = yaml(fixture, "[parent, child]", Self.more + ", triggers: fire")
            #expect(try await fixture.restore(yaml, events: log).failed.map(\.sentence) == [])
            #expect(try await numbers(fixture) == before)
            #expect(
                log.warnings.contains(
                    "public.child: its indexes and foreign keys are kept during the load, because triggers of public.parent fire"
                )
            )
        }
    }

    @Test("A role that does not own the table keeps them, and is told what that costs", arguments: [false, true])
    func owners(isDemanded: Bool) async throws {
        try await RunFixture.withRole { fixture, role in
            try await fixture.onBoth(Self.tables)
            try await fixture.execute(fixture.source, Self.many)
            try #require(try await fixture.backup(yaml(fixture)).failed.isEmpty)
            try await fixture.execute(fixture.target, "grant select, insert, truncate on parent, child to \(role)")
            let before = try await numbers(fixture)
            let log = EventLog()
            let yaml = yaml(fixture, "[parent, child]", isDemanded ? Self.more : "")
            let report = try await fixture.connected(as: role).restore(yaml, events: log)
            #expect(report.failed.map(\.sentence) == [])
            #expect(try await numbers(fixture) == before)
            let sentence =
                "public.child: its indexes and foreign keys are kept during the load, because the role does not own the table; "
                + "with them the server takes several times as long"
            #expect(
                (isDemanded ? log.warnings : log.notes).contains(
                    sentence + (isDemanded ? "; connect as the table's owner" : "")
                ),
                "\(log.warnings) \(log.notes)"
            )
            #expect(isDemanded || log.warnings == [])
        }
    }

    @Test("In a session that does not check foreign keys, rows land that violate them")
    func replica() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            let database = try #require(fixture.target.keywords["dbname"])
            try await fixture.execute(
                fixture.target,
                "alter database \(quotedIdentifier(database)) set session_replication_role = replica"
            )
            let before = try await numbers(fixture)
            #expect(try await fixture.restore(yaml(fixture, "[child]", Self.more)).failed.map(\.sentence) == [])
            let after = try await numbers(fixture)
            #expect(zip(before, after).map { $0 == $1 } == [false, false, true, true])
            #expect(try await fixture.rows(fixture.target, "select * from child") == ["1|1|1"])
        }
    }

    @Test("What an event trigger refuses to drop stays, and the rows land")
    func refused() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create function f() returns event_trigger language plpgsql as 'begin raise ''frozen schema''; end';
                create event trigger t on ddl_command_start when tag in ('DROP INDEX') execute function f();
                """
            )
            let before = try await numbers(fixture)
            let log = EventLog()
            #expect(
                try await fixture.restore(yaml(fixture, "[parent, child]", Self.more), events: log).failed.map(
                    \.sentence
                )
                    == []
            )
            let after = try await numbers(fixture)
            #expect(zip(before, after).map { $0 == $1 } == [false, true, false, false])
            #expect(
                log.warnings.contains(
                    "public.child: the index child_n is kept during the load, because it cannot be dropped: frozen schema"
                ),
                "\(log.warnings)"
            )
            #expect(try await fixture.rows(fixture.target, "select * from child") == ["1|1|1"])
        }
    }

    /// An event trigger that writes down commands, by a name without a schema.
    private func logCommands(_ fixture: RunFixture, _ filter: String = "") async throws {
        try await fixture.execute(
            fixture.target,
            """
            create table log (tag text);
            create function write() returns event_trigger language plpgsql as 'begin insert into log values (tg_tag); end';
            create event trigger t on ddl_command_end \(filter) execute function write();
            """
        )
    }

    @Test("What cannot be built again for the sake of an event trigger is not dropped, and the rows land")
    func searchPath() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            try await logCommands(fixture)
            let before = try await numbers(fixture)
            let log = EventLog()
            let report = try await fixture.restore(yaml(fixture, "[parent, child]", Self.more), events: log)
            #expect(report.failed.map(\.sentence) == [])
            #expect(try await numbers(fixture) == before)
            let warning =
                "public.child: the index child_n is kept during the load, because it cannot be dropped: "
                + "relation \"log\" does not exist"
            #expect(log.warnings.contains(warning), "\(log.warnings)")
            #expect(try await fixture.rows(fixture.target, "select * from child") == ["1|1|1"])
        }
    }

    @Test("The error says what could not be built again, and how it stays")
    func unbuilt() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1)") { fixture in
            try await logCommands(fixture, "when tag in ('CREATE INDEX')")
            let before = try await numbers(fixture)
            let failed = try await fixture.restore(yaml(fixture, "[parent, child]", Self.more)).failed
            let message =
                "the unique key parent_pkey of public.parent could not be built again after the rows: "
                + "relation \"log\" does not exist"
            let failure = try #require(failed.first { $0.description.contains(message) }, "\(failed)")
            #expect(failure.description.contains("set 'indexes: keep' to load the rows with it"))
            #expect(try await numbers(fixture) == before)
            #expect(try await fixture.rows(fixture.target, "select from child") == [])
            let kept = yaml(fixture, "[parent, child]", "indexes: keep, foreign_keys: keep")
            #expect(try await fixture.restore(kept).failed.map(\.sentence) == [])
        }
    }

    // MARK: - Failures

    @Test("Rows that violate a key roll back the group, and the error names the key and five of them, not their values")
    func violations() async throws {
        try await withBackup("insert into parent values (1); insert into child values (1, 1, 1), (2, 1, 2)") {
            fixture in
            try await fixture.execute(
                fixture.target,
                "insert into parent values (7); insert into child values (7, 7, 7)"
            )
            let before = try await numbers(fixture)
            let files = try fixture.files().filter { $0.hasPrefix("public.child/") && $0.hasSuffix(".csv") }
            let file = try #require(files.first)
            let options = "strategy: use_latest_filename, " + Self.more
            let orphans = (2...9).map { "\($0),\($0 % 4 == 0 ? 1 : 471108151),471108151\n" }.joined()
            for (rows, words) in [
                (
                    "1,1,471108151\n2,1,2\n1,1,471108151\n",
                    ["row 3 violates the unique key child_key of public.child: ", "23505"]
                ),
                (
                    "1,1,1\n2,471108151,2\n3,,3\n",
                    ["row 2 violates the foreign key child_parent of public.child: ", "23503"]
                ),
                ("1,1,1\n" + orphans, ["among others, rows 2, 3, 5, 6 and 7 violate the foreign key child_parent "]),
            ] {
                try fixture.write("id,parent,n\n" + rows, to: file)
                let report = try await fixture.restore(yaml(fixture, "[parent, child]", options))
                let failure = report.failed.first { $0.job.name == "public.child" }
                #expect(words.allSatisfy { failure?.message.contains($0) == true }, "\(report.failed)")
                #expect(failure?.message.contains("471108151") == false)
                #expect(failure?.hint == "correct the rows, or set 'max_rejects' to set them aside in a file")
                #expect(report.failed.count == 2)
                #expect(try await numbers(fixture) == before)
                #expect(try await fixture.rows(fixture.target, "select * from child") == ["7|7|7"])
            }
        }
    }

    /// The parts of the child, as the checks before a load read them.
    private func parts(_ connection: Connection, _ tables: [Relation]) async throws -> RebuiltParts {
        try await connection.withTransaction { connection in
            try await connection.withEmptySearchPath {
                var parts = RebuiltParts()
                try await TableConstraintReader(connection: connection).read(
                    notValidOf: [],
                    foreignKeysOf: tables.map(\.oid)
                )
                .forEach { parts.add($0) }
                try await TableIndexReader(connection: connection).read(of: tables.map(\.oid)).forEach { parts.add($0) }
                return parts
            }
        }
    }

    private func preparation(
        of truncated: [Relation],
        parts tables: [Relation],
        _ session: DatabaseSession,
        _ catalog: DatabaseCatalog
    ) async throws -> GroupPreparation {
        GroupPreparation(
            connection: session.connection,
            catalog: catalog,
            loadGroup: LoadGroup(number: 0, jobs: [], truncated: truncated, deferredKeys: []),
            triggers: [],
            parts: try await parts(session.connection, tables)
        )
    }

    private func expectRefusal(
        by preparation: GroupPreparation,
        in session: DatabaseSession,
        of part: String,
        _ location: SourceLocation = #_sourceLocation
    ) async {
        let error = await #expect(throws: DatabudgieError.self, sourceLocation: location) {
            try await session.withTransaction(.writing) { try await preparation.begin() }
        }
        #expect(error?.message == "\(part) was changed after it was checked", sourceLocation: location)
    }

    @Test(
        "A key that was changed after it was checked is not dropped",
        arguments: [
            ("alter table child alter constraint child_parent deferrable", "constraint child_parent"),
            ("drop index child_n; create index child_n on child (n desc)", "index child_n"),
            ("comment on index child_key is 'new'", "index child_key"),
        ]
    )
    func changed(change: String, part: String) async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, Self.tables)
            try await fixture.session(try fixture.configuration(yaml(fixture)), .restore) { session in
                let catalog = try await session.readCatalog(without: nil)
                let tables = catalog.named("public.child")
                let preparation = try await preparation(of: tables, parts: tables, session, catalog)
                try await fixture.execute(fixture.target, change)
                await expectRefusal(by: preparation, in: session, of: "the \(part) of public.child")
            }
        }
    }

    @Test("Indexes of a partitioned table that gets another partition after the check are not dropped")
    func partitionAdded() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.target,
                """
                create table event (at int, kind int) partition by range (at);
                create table event_1 partition of event for values from (0) to (10);
                create index event_kind on event (kind);
                """
            )
            try await fixture.session(try fixture.configuration(yaml(fixture)), .restore) { session in
                let catalog = try await session.readCatalog(without: nil)
                let table = try #require(catalog.named("public.event").first)
                let preparation = try await preparation(
                    of: [table],
                    parts: catalog.carriers(of: table),
                    session,
                    catalog
                )
                #expect(preparation.parts.indexes.map(\.name.name).sorted() == ["event_1_kind_idx", "event_kind"])
                try await fixture.execute(
                    fixture.target,
                    "create table event_2 partition of event for values from (10) to (20)"
                )
                await expectRefusal(by: preparation, in: session, of: "the index event_kind of public.event")
            }
        }
    }

    @Test("A table outside of the run to which a key points is waited for, and the session that has it is named")
    func locks() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.target, Self.tables)
            try await Connection.withConnection(to: fixture.target) { other in
                try await other.execute("set application_name = 'report'; begin; select * from parent")
                try await fixture.session(try fixture.configuration(yaml(fixture)), .restore) { session in
                    let catalog = try await session.readCatalog(without: nil)
                    let tables = catalog.named("public.child")
                    let preparation = GroupPreparation(
                        connection: session.connection,
                        catalog: catalog,
                        loadGroup: LoadGroup(number: 0, jobs: [], truncated: tables, deferredKeys: []),
                        triggers: [],
                        parts: try await parts(session.connection, tables),
                        attempts: LockAttempts(timeout: .milliseconds(50), count: 2)
                    )
                    let error = await #expect(throws: DatabudgieError.self) {
                        try await session.withTransaction(.writing) { try await preparation.begin() }
                    }
                    #expect(
                        error?.message.contains("public.parent") == true
                            && error?.message.contains("(report, role ") == true,
                        "\(error?.message ?? "")"
                    )
                }
            }
            #expect(try await numbers(fixture).count == 4)
        }
    }
}
