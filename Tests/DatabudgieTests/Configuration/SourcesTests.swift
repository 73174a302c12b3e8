import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Where a configuration comes from")
struct SourcesTests {
    @Test("Options beat environment, standard input, raw text and files, in this order")
    func precedence() throws {
        try withFolder(["a.yml": "environment: file\nlocation: file\nfilename: file\nquery: file\nmanifest: file"]) {
            folder throws in
            var sources = ConfigurationSources(workingDirectory: folder)
            sources.overrides.configFiles = ["a.yml"]
            sources.overrides.rawConfigFormat = .yaml
            sources.overrides.rawConfig = "environment: raw\nlocation: raw\nfilename: raw\nquery: raw\ntables: [a]"
            sources.standardInput = "environment: stdin\nlocation: stdin\nfilename: stdin"
            sources.environment = ["DATABUDGIE_ENVIRONMENT": "env", "DATABUDGIE_LOCATION": "env"]
            sources.overrides.location = "option"
            let configuration = try Configuration.load(sources)
            let entry = try #require(configuration.backup.tables.first)
            #expect(entry.options.location.description == "option")
            #expect(configuration.environment == "env")
            #expect(entry.options.filename.description == "stdin")
            #expect(entry.query.description == "raw")
            #expect(configuration.backup.run.manifest == "file")
            #expect(configuration.sources == ["environment", "standard input", "--raw-config", "a.yml"])
        }
    }

    @Test("Later files are laid over earlier ones, key by key")
    func files() throws {
        let files = [
            "a.yml": "backup: {root_location: /a, manifest: m, tables: {t: {query: q1, location: l1}}}",
            "b.json": #"{"backup": {"root_location": "/b", "tables": {"t": {"location": "l2"}, "u": null}}}"#,
            "c.toml": "[backup.tables.u]\nstrict = true",
        ]
        try withFolder(files) { folder throws in
            var sources = ConfigurationSources(workingDirectory: folder)
            sources.overrides.configFiles = ["a.yml", "b.json", "c.toml"]
            let backup = try Configuration.load(sources).backup
            #expect(backup.run.rootLocation == "/b")
            #expect(backup.run.manifest == "m")
            #expect(backup.tables.map(\.options.name) == ["t", "u"])
            #expect(backup.tables.map(\.query.description) == ["q1", "select * from {table}"])
            #expect(backup.tables.map(\.options.location.description) == ["/b/l2", "/b/backups/{table}"])
            #expect(backup.tables.map(\.options.isStrict) == [false, true])
        }
    }

    @Test("A table without options takes none away from the files below")
    func emptyTableOverOptions() throws {
        try withFolder(["a.yml": "tables: {t: {query: q}}", "b.yml": "tables: {t: }"]) { folder throws in
            var sources = ConfigurationSources(workingDirectory: folder)
            sources.overrides.configFiles = ["a.yml", "b.yml"]
            #expect(try Configuration.load(sources).backup.tables.map(\.query.description) == ["q"])
        }
    }

    @Test("The first default file that exists is read when nothing else is given")
    func defaultFiles() throws {
        try withFolder(["databudgie.yml": "environment: yml", "databudgie.toml": "environment = 'toml'"]) {
            folder throws in
            var sources = ConfigurationSources(workingDirectory: folder)
            #expect(try Configuration.load(sources).environment == "yml")
            sources.environment = ["DATABUDGIE_MANIFEST": "m"]
            #expect(try Configuration.load(sources).environment == "yml")
            sources.standardInput = "  \n"
            #expect(try Configuration.load(sources).environment == "yml")
            sources.standardInput = "{}"
            #expect(try Configuration.load(sources).environment == nil)
            sources.standardInput = nil
            sources.overrides.rawConfig = "{}"
            #expect(try Configuration.load(sources).environment == nil)
            sources.overrides.configFiles = ["databudgie.toml"]
            #expect(try Configuration.load(sources).environment == "toml")
        }
    }

    @Test("No configuration at all has all defaults")
    func nothing() throws {
        try withFolder([:]) { folder throws in
            let configuration = try Configuration.load(ConfigurationSources(workingDirectory: folder))
            #expect(configuration.sources.isEmpty)
            #expect(configuration.logging == LoggingConfiguration(isEnabled: true, level: "INFO"))
            #expect(configuration.backup.tables.isEmpty)
            #expect(configuration.backup.run.connection == nil)
        }
    }

    @Test(
        "A file that cannot be read is reported by its name",
        arguments: [
            ("missing.yml", "missing.yml: the file does not exist"), ("folder.yml", "folder.yml: this is a folder"),
            (
                "notes.txt",
                "notes.txt: the name of a configuration file must end in one of .yaml, .yml, .json, .toml; rename the file"
            ),
            ("latin.yml", "latin.yml:2: the file is not UTF-8"),
        ]
    )
    func unreadable(file: String, message: String) throws {
        try withFolder(["notes.txt": ""]) { folder in
            try FileManager.default.createDirectory(atPath: folder + "/folder.yml", withIntermediateDirectories: false)
            try Data([0x61, 0x3A, 0x0A, 0xE9]).write(to: URL(fileURLWithPath: folder + "/latin.yml"))
            var sources = ConfigurationSources(workingDirectory: folder)
            sources.overrides.configFiles = [file]
            let error = #expect(throws: ConfigurationError.self) { try Configuration.load(sources) }
            #expect(error?.code == .unreadableFile)
            #expect(error?.description.hasPrefix(message) == true)
        }
    }

    @Test("Environment variables nest by two underscores, and their names are lower-cased")
    func environment() throws {
        let environment = [
            "DATABUDGIE_RESTORE__DDL__CLEAN": "1", "DATABUDGIE_ROOT_LOCATION": "/r", "DATABUDGIE_S3__REGION": "eu",
            "DATABUDGIE_BACKUP__TABLES__PUBLIC.A__QUERY": "select 1", "OTHER": "x", "DATABUDGIE_COMPRESSION": "",
            "DATABUDGIE_IDLE_IN_TRANSACTION_TIMEOUT": "1.5",
        ]
        let configuration = try configuration("restore: {ddl: true}\ncompression: gzip", environment: environment)
        #expect(configuration.restore.run.definitions.recreatesDatabase)
        #expect(configuration.restore.run.definitions.isEnabled)
        #expect(!configuration.backup.run.definitions.recreatesDatabase)
        #expect(configuration.backup.run.rootLocation == "/r")
        #expect(configuration.restore.run.s3.region == "eu")
        #expect(configuration.backup.tables.map(\.query.description) == ["select 1"])
        #expect(configuration.backup.tables.map(\.options.name) == ["public.a"])
        #expect(configuration.backup.tables.map(\.compression) == [nil])
        #expect(configuration.backup.run.idleInTransactionTimeout == 1.5)
    }

    @Test(
        "Empty, 0, false, no and off are false in the environment, and anything else is true",
        arguments: [
            ("", false), ("0", false), ("False", false), ("NO", false), ("off", false), ("1", true), ("t", true),
        ]
    )
    func environmentBooleans(value: String, expected: Bool) throws {
        let configuration = try configuration("tables: [a]\nstrict: true", environment: ["DATABUDGIE_STRICT": value])
        #expect(configuration.backup.run.isStrict == expected)
        #expect(configuration.backup.tables.map(\.options.isStrict) == [expected])
    }

    @Test("An unknown key in the environment names its variable")
    func environmentUnknownKey() {
        #expect(
            problems("", environment: ["DATABUDGIE_BACKUP__MANIFST": "x"]) == [
                "environment variable DATABUDGIE_BACKUP__MANIFST: unknown key 'manifst' in 'backup'; "
                    + "did you mean 'manifest'?"
            ]
        )
    }

    @Test("A variable with our prefix and an unknown key is reported and ignored")
    func environmentForeignVariable() throws {
        let configuration = try configuration(
            "url: <% ENV[DATABUDGIE_POSTGRES_DSN] %>",
            environment: ["DATABUDGIE_POSTGRES_DSN": "postgresql://h/d", "DATABUDGIE_MANIFST": "m"]
        )
        #expect(configuration.backup.run.connection?.keywords["host"] == "h")
        #expect(
            configuration.warnings.map(\.description) == [
                "environment variable DATABUDGIE_MANIFST: unknown key 'manifst' is ignored; "
                    + "did you mean 'manifest'?",
                "environment variable DATABUDGIE_POSTGRES_DSN: unknown key 'postgres_dsn' is ignored",
            ]
        )
    }

    @Test("Two variables that contradict each other are refused")
    func environmentConflict() {
        let found = problems("", environment: ["DATABUDGIE_DDL": "1", "DATABUDGIE_DDL__CLEAN": "1"])
        #expect(found.first?.hasPrefix("environment variable DATABUDGIE_DDL__CLEAN: another variable sets") == true)
    }

    @Test("A connection in a stronger source beats a url in a weaker one")
    func connectionOverURL() throws {
        let configuration = try configuration(
            "url: postgresql://file/db\nconnections: {prod: postgresql://prod/db}",
            environment: ["DATABUDGIE_CONNECTION": "prod"]
        )
        #expect(configuration.backup.run.connection?.keywords["host"] == "prod")
    }
}
