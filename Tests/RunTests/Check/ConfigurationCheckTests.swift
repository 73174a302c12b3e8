import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Synchronization
import Testing

@testable import Databudgie

@Suite("Checks of a configuration")
struct ConfigurationCheckTests {
    /// Findings of one command, in lines: outcome, subject, sentence.
    private func lines(
        _ configuration: Configuration,
        _ command: RunKind? = .backup,
        environment: RunEnvironment = RunEnvironment()
    ) async throws -> [String] {
        try await ConfigurationCheck(configuration, for: command, environment: environment).run().map(\.line)
    }

    private func yaml(_ folder: String, _ more: String = "") -> String {
        "{root_location: '\(folder)', location: '{table}', \(more) tables: ['public.*']}"
    }

    @Test("What is in order is said, and nothing is left: no file, no folder, no row")
    func inOrder() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int); create table m (id int);")
            let folder = fixture.folder + "/not/there/yet"
            let configuration = try fixture.configuration(
                yaml(folder, "ddl: {enabled: true, location: defs}, retention: {keep_last: 2},")
            )
            let told = Mutex<[CheckFinding]>([])
            let findings = try await ConfigurationCheck(configuration, for: .backup).run { finding in
                told.withLock { $0.append(finding) }
            }
            #expect(told.withLock { $0 } == findings)
            #expect(findings.isWithoutProblems && findings.allSatisfy { $0.outcome == .ok }, "\(findings.map(\.line))")
            #expect(
                findings.map(\.subject) == [
                    .connection, .server, .clock, .definitions, .location, .location, .location, .catalog,
                    .retention, .tables, .space,
                ]
            )
            let lines = findings.map(\.line)
            let server = try await Connection.withConnection(to: fixture.source) { $0.server }
            #expect(lines[0].hasPrefix("ok connection Postgres \(server.majorVersion)"))
            #expect(lines[0].hasSuffix(", database \(server.database), role \(server.user), over a unix socket"))
            #expect(lines[1] == "ok server it is a primary, which takes writes")
            #expect(lines[3].hasSuffix(" can dump a server of version \(server.majorVersion)"), "\(lines[3])")
            #expect(
                lines[4...6]
                    == ["", "/catalog", "/defs"].map {
                        "ok location \(folder)\($0): a file was written, read and removed; existing files are never replaced"
                    }[...]
            )
            #expect(lines[7] == "ok catalog \(folder)/catalog: no sets yet")
            #expect(lines[9] == "ok tables 2 tables can be exported")
            #expect(lines[10].contains(" free"), "\(lines[10])")
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder) == [])
        }
    }

    @Test("A role without SELECT on a table, without its schema, and with policies over it, is told of each")
    func privileges() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.source,
                    """
                    create table readable (id int); create table secret (id int); create table policed (id int);
                    alter table policed enable row level security;
                    grant select on readable, policed to \(role);
                    """
                )
                let configuration = try fixture.connected(as: role).configuration(yaml(fixture.folder))
                let findings = try await ConfigurationCheck(configuration, for: .backup).run()
                #expect(!findings.isWithoutProblems)
                let tables = findings.filter { $0.subject == .tables }
                #expect(
                    tables.map(\.line) == [
                        "ok tables 1 table can be exported",
                        "problem tables public.policed: row-level security applies to the role, and would hide rows; connect "
                            + "as the table's owner or as a role with BYPASSRLS, or set 'row_security: true'",
                        "problem tables public.secret: the role lacks SELECT on the table, or USAGE on its schema; "
                            + "grant it, or exclude the table",
                    ]
                )
                #expect(tables.map(\.name) == [nil, "public.policed", "public.secret"])
            }
        }
    }

    @Test("A database that cannot be reached hides nothing of the storage, the tools and their credentials")
    func unreachable() async throws {
        try await RunFixture.with { fixture in
            try await S3Server.shared.withFolder { folder in
                var configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', ddl: {enabled: true, location: defs}, tables: [t]}"
                )
                configuration.backup.run.s3 = try await S3Server.shared.options()
                configuration.backup.run.connection = try ConnectionParameters(url: "postgresql://me@127.0.0.1:1/shop")
                let lines = try await lines(configuration)
                #expect(
                    lines[0]
                        == #"problem connection connection to server at "127.0.0.1", port 1 failed: Connection refused; "#
                        + "check host and port, and that the server runs and listens there (listen_addresses)"
                )
                #expect(lines[1].wholeMatch(of: /ok definitions pg_dump and pg_restore \d+ are installed/) != nil)
                let endpoint = try await S3Server.shared.endpoint
                #expect(
                    lines[2] == "ok credentials from the configuration, for \(endpoint), without an end"
                )
                #expect(lines[3...5].allSatisfy { $0.hasPrefix("ok location \(folder)") }, "\(lines)")
                #expect(lines.contains("ok catalog \(folder)/catalog: no sets yet"))
                #expect(lines.contains { $0.hasPrefix("ok clock the clock of S3: ") }, "\(lines)")
                #expect(lines.contains("skipped tables not checked without a connection"))
                let storage = S3Storage(options: try await S3Server.shared.options(), environment: [:])
                #expect(try await storage.list(folder, recursive: true).isEmpty)
                #expect(try await storage.unfinishedWrites(folder, before: .distantFuture).isEmpty)
                try await storage.shutdown()
            }
        }
    }

    @Test(
        "A connection that fails says what to do",
        arguments: [
            ("password", "correct the user or the password in the configuration, PGPASSWORD or ~/.pgpass"),
            ("database", "correct the name of the database, or create it"),
            ("host", "correct the host, or check the name service of this machine"),
            ("socket", "name the host in the configuration, or start the server on this machine"),
            ("tls", "check sslmode, and whether the server accepts TLS"),
        ]
    )
    func connectionAdvice(mistake: String, hint: String) async throws {
        try await PostgresServer.withRole("LOGIN PASSWORD 'right'") { role in
            try await RunFixture.with { fixture in
                var parameters = PostgresServer.overTCP(fixture.source, user: role, password: .text("right"))
                switch mistake {
                case "password": parameters.keywords["password"] = "wrong"
                case "database": parameters.keywords["dbname"] = "no such database"
                case "host": parameters.keywords["host"] = "no-such-host.invalid"
                case "socket": parameters.keywords["host"] = "/nowhere"
                default: parameters.keywords["sslmode"] = "require"
                }
                var configuration = try fixture.configuration(yaml(fixture.folder))
                configuration.backup.run.connection = parameters
                let findings = try await ConfigurationCheck(configuration, for: .backup).run()
                let problems = findings.filter { $0.outcome == .problem }
                #expect(problems.map(\.subject) == [.connection] && problems[0].hint == hint, "\(problems)")
                #expect(!findings.contains { $0.line.contains("wrong") })
            }
        }
    }

    @Test("A socket that this user is not allowed to use has advice, and what no connection attempt threw has none")
    func socketAdvice() {
        let denied = PostgresError(
            .connectionFailed,
            #"connection to server on socket "/run/postgresql/.s.PGSQL.5432" failed: Permission denied"#
        )
        #expect(ErrorText(denied).hint?.contains("unix_socket_permissions") == true)
        #expect(ErrorText(PostgresError(.serverError, "no such table", sqlState: "42501")).hint == nil)
        #expect(ErrorText(PostgresError(.connectionFailed, "x", hint: "y")).hint == "y")
    }

    @Test("A finding is said after its name, unless the message of an error has that path as a word of its own")
    func names() throws {
        let run = try CheckedRun(
            try Configuration.load(yaml: "{url: 'postgresql://a/b', tables: [t]}", environment: [:]),
            .restore,
            RunEnvironment()
        )
        for name in ["b", "files", "can be"] {
            let found = run.finding(.ok, .location, "files can be listed", of: name)
            #expect(found.sentence == "\(name): files can be listed")
        }
        func sentence(_ message: String, _ name: String) -> String? {
            run.findings(.location, StorageError(.notWritable, message), of: name).first?.sentence
        }
        #expect(sentence("the folder /a/b cannot be read", "/a/b") == "the folder /a/b cannot be read")
        #expect(sentence("the folder /a/b cannot be read", "/a") == "/a: the folder /a/b cannot be read")
        #expect(sentence("/x/a/b: cannot be read", "/a/b") == "/a/b: /x/a/b: cannot be read")
        #expect(sentence("the folder cannot be read", "folder") == "folder: the folder cannot be read")
        let ofTable = DatabudgieError(.preflight, "a is no key of public.a", table: "public.a")
        let found = run.findings(.tables, ofTable).first
        #expect(found?.sentence.hasPrefix("public.a: a is no key of public.a") == true)
    }

    @Test("A file of metrics needs a folder that can be written to, and a name that the collector reads")
    func metrics() async throws {
        try await withTemporaryFolder { folder in
            func lines(_ path: String) throws -> [String] {
                var configuration = try Configuration.load(
                    yaml: "{url: 'postgresql://a/b', tables: [t]}",
                    environment: [:]
                )
                configuration.backup.run.metrics = path
                return MetricsCheck(run: try CheckedRun(configuration, .backup, RunEnvironment())).check().map(\.line)
            }
            let usual = try lines("\(folder)/a.prom")
            #expect(usual == ["ok metrics \(folder)/a.prom: can be written"])
            let otherName = try lines("\(folder)/a.txt")
            #expect(otherName.first?.hasPrefix("warning metrics \(folder)/a.txt: the textfile collector ") == true)
            let missing = try lines("\(folder)/none/a.prom")
            #expect(
                missing == [
                    "warning metrics \(folder)/none/a.prom: cannot be written, because there is no folder "
                        + "\(folder)/none; create the folder, or name a file in another one"
                ]
            )
        }
    }

    @Test("A pg_dump that is too old, or missing, is a problem of its own, and the tables are checked all the same")
    func tools() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(fixture.source, "create table secret (id int)")
                let configuration = try fixture.connected(as: role).configuration(yaml(fixture.folder, "ddl: true,"))
                var environment = RunEnvironment()
                environment.variables["PATH"] = try fixture.path(
                    withFake: "pg_dump",
                    "echo 'pg_dump (PostgreSQL) 9.6.24'\n"
                )
                let version = try await Connection.withConnection(to: fixture.source) { $0.server.majorVersion }
                let old = try await lines(configuration, environment: environment)
                #expect(
                    old.contains {
                        $0.hasPrefix(
                            "problem definitions pg_dump 9 cannot dump a server of version \(version); install "
                        )
                    },
                    "\(old)"
                )
                #expect(old.contains { $0.hasPrefix("problem tables public.secret: the role lacks SELECT ") }, "\(old)")
                environment.variables["PATH"] = fixture.folder
                let missing = try await lines(configuration, environment: environment)
                #expect(
                    missing.contains {
                        $0.hasPrefix(
                            "problem definitions pg_dump, which reads the definitions of tables, was not found; "
                        )
                    },
                    "\(missing)"
                )
            }
        }
    }

    @Test("A manifest that is missing, and a mask that does not fit, hide no table without a privilege")
    func nothingHidden() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.execute(
                    fixture.source,
                    "create table secret (id int); create table t (id int, name text); grant select on t to \(role)"
                )
                let masking = "masking: {key: random, columns: {public.t.id: email}},"
                let configuration = try fixture.connected(as: role).configuration(
                    yaml(fixture.folder, "manifest: public.m, " + masking)
                )
                let problems = try await ConfigurationCheck(configuration, for: .backup).run()
                    .filter { $0.outcome == .problem }
                #expect(problems.first?.subject == .manifest)
                #expect(
                    problems.first?.message
                        == "the manifest table public.m does not exist in the database of this backup"
                )
                #expect(problems.contains { $0.line.contains("public.t.id") || $0.name == "public.t" }, "\(problems)")
                #expect(
                    problems.contains { $0.name == "public.secret" && $0.message.contains("SELECT") },
                    "\(problems)"
                )
            }
        }
    }

    @Test("The target of a restore is checked as its preflight does: INSERT, TRUNCATE, files, hosts")
    func restore() async throws {
        try await PostgresServer.withRole { role in
            try await RunFixture.with { fixture in
                try await fixture.onBoth("create table t (id int); create table u (id int)")
                try await fixture.execute(fixture.source, "insert into t values (1), (2); insert into u values (1)")
                let text = yaml(fixture.folder, "truncate: true, safe_hosts: [elsewhere],")
                let empty = try await lines(try fixture.configuration(text), .restore)
                #expect(empty.contains("ok catalog \(fixture.folder)/catalog: no sets yet"), "\(empty)")
                #expect(empty.contains { $0.hasPrefix("problem tables ") }, "\(empty)")
                #expect(try await fixture.backup(text).failed.isEmpty)

                let good = try await lines(try fixture.configuration(text), .restore)
                #expect(!good.contains { $0.hasPrefix("problem ") }, "\(good)")
                #expect(good.contains { $0.hasPrefix("ok tables 2 tables can be loaded, from the set 20") }, "\(good)")
                #expect(
                    good.contains {
                        $0.hasPrefix("warning target ") && $0.contains("not one of 'safe_hosts', so a restore asks")
                    },
                    "\(good)"
                )
                #expect(good.contains { $0.hasPrefix("ok catalog \(fixture.folder)/catalog: 1 set, the newest ") })

                try await fixture.execute(
                    fixture.target,
                    "grant insert on t to \(role); grant insert, truncate on u to \(role)"
                )
                let refused = try await lines(try fixture.connected(as: role).configuration(text), .restore)
                #expect(
                    refused.filter { $0.hasPrefix("problem ") } == [
                        "problem tables public.t: the role lacks TRUNCATE on the table; grant it, or drop 'truncate'"
                    ],
                    "\(refused)"
                )
                #expect(
                    try await fixture.rows(fixture.target, "select (select count(*) from t), (select count(*) from u)")
                        == ["0|0"]
                )
            }
        }
    }

    @Test("Without a choice, the restore is checked if it has a database of its own")
    func commands() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int)")
            var configuration = try fixture.configuration(yaml(fixture.folder))
            #expect(try await fixture.backup(yaml(fixture.folder)).failed.isEmpty)
            let both = try await ConfigurationCheck(configuration).run()
            #expect(Set(both.map(\.command)) == [.backup, .restore] && both.isWithoutProblems, "\(both.map(\.line))")
            configuration.restore.run.connection = configuration.backup.run.connection
            #expect(Set(try await ConfigurationCheck(configuration).run().map(\.command)) == [.backup])
            configuration.backup.run.connection = nil
            #expect(Set(try await ConfigurationCheck(configuration).run().map(\.command)) == [.restore])
            configuration.restore.run.connection = nil
            let error = await #expect(throws: DatabudgieError.self) {
                try await ConfigurationCheck(configuration).run()
            }
            #expect(error?.code == .configuration)
        }
    }

    @Test("A pooler is said, with what it means", .enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed"))
    func pooler() async throws {
        try await RunFixture.with { fixture in
            try await fixture.onBoth("create table t (id int)")
            try await PgBouncer.withPooler(before: fixture.source) { pooled in
                var configuration = try fixture.configuration(yaml(fixture.folder))
                configuration.backup.run.connection = pooled
                let findings = try await ConfigurationCheck(configuration, for: .backup).run()
                #expect(findings.isWithoutProblems, "\(findings.map(\.line))")
                let warnings = findings.filter { $0.outcome == .warning }
                #expect(warnings.map(\.subject) == [.server])
                #expect(warnings.first?.message.hasPrefix("a pooler is in between: ") == true)
            }
        }
    }

    @Test("A standby is a warning for a backup, and a problem for a restore and for a manifest")
    func standby() async throws {
        try await PostgresServer.withStandby { primary, standby in
            try await withTemporaryFolder { folder in
                let fixture = RunFixture(source: standby.superuser, target: standby.superuser, folder: folder)
                try await fixture.execute(primary.superuser, "create table t (id int);" + ManifestTable("m").definition)
                try await poll("the standby has the tables") {
                    try await fixture.rows(standby.superuser, "select 1 where to_regclass('m') is not null") == ["1"]
                }
                let text = "{root_location: '\(folder)', location: '{table}', tables: [t]}"
                let backup = try await ConfigurationCheck(try fixture.configuration(text), for: .backup).run()
                #expect(backup.isWithoutProblems, "\(backup.map(\.line))")
                let warning = backup.first { $0.outcome == .warning }
                #expect(warning?.message.hasPrefix("it is a standby, which cancels a query ") == true)
                #expect(warning?.hint == RecoveryConflict.hint)
                let recorded = try await lines(
                    try fixture.configuration(text.replacing("tables:", with: "manifest: public.m, tables:"))
                )
                #expect(
                    recorded.contains { $0.hasPrefix("problem manifest the server is a standby, where nothing can be") }
                )
                let restore = try await lines(try fixture.configuration(text), .restore)
                #expect(
                    restore.filter { $0.contains("standby") } == [
                        "problem server the target server is a standby, which accepts no data; connect to its primary"
                    ],
                    "\(restore)"
                )
            }
        }
    }
}

extension CheckFinding {
    /// The outcome, the subject and the sentence.
    var line: String { "\(outcome.rawValue) \(subject.rawValue) \(sentence)" }
}
