import Postgres
import Testing

@testable import Databudgie

@Suite("Command-line options")
struct OverridesTests {
    static let yaml = """
        url: postgresql://root/db
        connections: {other: postgresql://other/db}
        location: root
        exclude: [x]
        backup:
          url: postgresql://backup/db
          location: backup
          ddl: {enabled: false, location: definitions}
          tables:
            a: {location: a, exclude: [y], strict: true, ddl: false}
            b: {location: b}
        restore:
          connection: other
          tables: [{name: a, location: a}]
        """

    func load(_ change: (inout ConfigurationOverrides) -> Void) throws -> Configuration {
        var fixture = ConfigurationFixture(Self.yaml)
        change(&fixture.overrides)
        return try fixture.load()
    }

    @Test("The option --url beats every url and connection")
    func url() throws {
        let configuration = try load { $0.url = "postgresql://option/db" }
        #expect(configuration.backup.run.connection?.keywords["host"] == "option")
        #expect(configuration.restore.run.connection?.keywords["host"] == "option")
    }

    @Test(
        "The option --jobs beats 'jobs' in 'backup', in 'restore' and at the root; of these the nearer one counts, null too"
    )
    func jobs() throws {
        func jobs(_ yaml: String, option: Int? = nil) throws -> Int? {
            var fixture = ConfigurationFixture(yaml)
            fixture.overrides.jobs = option
            return try fixture.load().backup.jobs
        }
        #expect(try jobs("tables: [a]") == nil)
        #expect(try jobs("{jobs: 2, tables: [a]}") == 2)
        #expect(try jobs("{jobs: 2, backup: {jobs: 3, tables: [a]}}") == 3)
        #expect(try jobs("{jobs: 2, backup: {jobs: null, tables: [a]}}") == nil)
        #expect(try jobs("{jobs: 2, backup: {jobs: 3, tables: [a]}}", option: 4) == 4)
        let both = try ConfigurationFixture("{jobs: 2, backup: {tables: [a]}, restore: {jobs: 3, tables: [a]}}").load()
        #expect(both.backup.jobs == 2 && both.restore.jobs == 3)
    }

    @Test("The option --connection beats every url and connection")
    func connection() throws {
        let configuration = try load { $0.connection = "other" }
        #expect(configuration.backup.run.connection?.keywords["host"] == "other")
    }

    @Test("The options --url and --connection exclude each other")
    func exclusive() {
        let error = #expect(throws: ConfigurationError.self) {
            try load {
                $0.url = "postgresql://h/db"
                $0.connection = "other"
            }
        }
        #expect(error?.code == .conflictingOptions)
        #expect(error?.description == "--url and --connection exclude each other; use only one of them")
    }

    @Test("An unknown --connection is reported with the known ones")
    func unknownConnection() {
        let error = #expect(throws: ConfigurationError.self) { try load { $0.connection = "prod" } }
        #expect(
            error?.description
                == "--connection: there is no connection 'prod'; "
                + "use one of 'other', or a URL such as postgresql://user@host/database"
        )
    }

    @Test("The option --location beats every location, and stays under root_location")
    func location() throws {
        var fixture = ConfigurationFixture("root_location: /r\ntables: {'{table}': {location: x}, b: }")
        fixture.overrides.location = "/l/{table}"
        let locations = try fixture.load().restore.tables.map(\.options.location.description)
        #expect(locations == ["/r/l/{table}", "/r/l/{table}"])
    }

    @Test("The option --table replaces any tables of both commands")
    func tables() throws {
        let configuration = try load {
            $0.tables = ["c", "public.*"]
            $0.location = "{table}"
        }
        #expect(configuration.backup.tables.map(\.options.name) == ["c", "public.*"])
        #expect(configuration.restore.tables.map(\.options.name) == ["c", "public.*"])
        #expect(configuration.restore.tables.map(\.options.place) == ["--table", "--table"])
    }

    @Test("The option --exclude replaces every exclude")
    func exclude() throws {
        let configuration = try load { $0.excludes = ["z", "w"] }
        #expect(configuration.backup.tables.map(\.options.exclude) == [["z", "w"], ["z", "w"]])
    }

    @Test("The options --strict and --no-strict beat every strict", arguments: [true, false])
    func strict(value: Bool) throws {
        let configuration = try load { $0.strict = value }
        #expect(configuration.backup.tables.map(\.options.isStrict) == [value, value])
        #expect(configuration.backup.run.isStrict == value)
    }

    @Test("The option --ddl switches on what the configuration describes")
    func ddl() throws {
        let configuration = try load { $0.ddl = true }
        #expect(configuration.backup.run.definitions.isEnabled)
        #expect(configuration.backup.run.definitions.location.description == "definitions")
        #expect(configuration.restore.run.definitions.isEnabled)
        #expect(configuration.backup.tables.map(\.options.includesDefinition) == [true, true])
        #expect(try !load { $0.ddl = false }.restore.run.definitions.isEnabled)
    }

    @Test("The adapter python is accepted with a warning, and an unknown adapter refused")
    func adapter() throws {
        let configuration = try load { $0.adapter = "python" }
        #expect(
            configuration.warnings.map { $0.description.hasPrefix("--adapter: the adapter 'python' runs as") } == [true]
        )
        #expect(try load { $0.adapter = "PostgreSQL" }.warnings.isEmpty)
        #expect(throws: ConfigurationError.self) { try load { $0.adapter = "mysql" } }
    }

    @Test("The option --dry-run makes both commands dry runs, and none is one without it")
    func dryRun() throws {
        let configuration = try load { $0.dryRun = true }
        #expect(configuration.backup.run.isDryRun && configuration.restore.run.isDryRun)
        #expect(try !load { $0.dryRun = false }.restore.run.isDryRun)
        #expect(try !load { _ in }.backup.run.isDryRun)
    }

    @Test("The options --clean and --no-clean beat the configuration, and --yes is kept")
    func clean() throws {
        let configuration = try load {
            $0.clean = true
            $0.yes = true
        }
        #expect(configuration.restore.run.definitions.recreatesDatabase)
        #expect(configuration.restore.assumesYes)
        var fixture = ConfigurationFixture("ddl: {clean: true}")
        fixture.overrides.clean = false
        #expect(try !fixture.load().restore.run.definitions.recreatesDatabase)
    }

    @Test("An id belongs to its command")
    func ids() throws {
        let configuration = try load {
            $0.backupID = 3
            $0.restoreID = 4
        }
        #expect(configuration.backup.run.resumeID == 3)
        #expect(configuration.restore.run.resumeID == 4)
    }
}
