import Postgres
import Testing

@testable import Databudgie

@Suite("Connections")
struct ConnectionTests {
    func keywords(_ yaml: String) throws -> [String: String]? {
        try configuration(yaml).backup.run.connection?.keywords
    }

    @Test(
        "A connection may be a URL, a mapping or a name",
        arguments: [
            "url: postgresql://u:p@h:1/d", "connection: postgresql+psycopg2://u:p@h:1/d", "url: postgres://u:p@h:1/d",
            "url: {drivername: postgresql+psycopg2, username: u, password: p, host: h, port: 1, database: d}",
            "connection: prod\nconnections: {prod: postgresql://u:p@h:1/d}",
            "url: prod\nconnections: [{name: prod, url: 'postgresql://u:p@h:1/d'}]",
            "connection: prod\nconnections: [{name: prod, username: u, password: p, host: h, port: 1, database: d}]",
            "connection: prod\nconnections: {prod: {url: {username: u, password: p, host: h, port: 1, database: d}}}",
            "connection: alias\nconnections: {prod: 'postgresql://u:p@h:1/d', alias: prod}",
            "connections: {default: 'postgresql://u:p@h:1/d'}", "url: null\nconnection: postgresql://u:p@h:1/d",
            "connection: {url: 'postgresql://u:p@h:1/d'}", "url: host=h port=1 user=u password=p dbname=d",
        ]
    )
    func forms(yaml: String) throws {
        #expect(try keywords(yaml) == ["user": "u", "password": "p", "host": "h", "port": "1", "dbname": "d"])
    }

    @Test("The query of a mapping becomes libpq's keywords")
    func query() throws {
        let found = try keywords("url: {host: h, query: {sslmode: require, connect_timeout: 3, host: [/a, /b]}}")
        #expect(found == ["host": "/a,/b", "sslmode": "require", "connect_timeout": "3"])
    }

    @Test("The nearest level with a url or a connection counts")
    func levels() throws {
        let configuration = try configuration(
            """
            url: postgresql://root/d
            connections: {a: postgresql://a/d}
            backup: {connection: a}
            restore: {connections: {b: postgresql://b/d}, connection: b}
            """
        )
        #expect(configuration.backup.run.connection?.keywords["host"] == "a")
        #expect(configuration.restore.run.connection?.keywords["host"] == "b")
        #expect(configuration.restore.run.connections.map(\.name) == ["b", "a"])
    }

    @Test("A url beside a connection is used, with a warning")
    func both() throws {
        let configuration = try configuration("url: postgresql://u/d\nconnection: postgresql://c/d")
        #expect(configuration.backup.run.connection?.keywords["host"] == "u")
        #expect(
            configuration.warnings.map(\.description) == [
                "test.yaml:1: 'url' takes precedence over 'connection' beside it; remove one of them"
            ]
        )
    }

    @Test("No connection at all is not an error of the configuration")
    func none() throws {
        #expect(try keywords("tables: [a]") == nil)
    }

    @Test(
        "What cannot be a connection is refused with its place",
        arguments: [
            (
                "connection: prdo\nconnections: {prod: postgresql://h/d}",
                "test.yaml:1: there is no connection 'prdo'; did you mean 'prod'?"
            ),
            (
                "connection: x",
                "test.yaml:1: there is no connection 'x'; write a URL such as postgresql://user@host/database, or add it to 'connections'"
            ),
            ("url: [a]", "test.yaml:1: a connection must be a URL, a name or a mapping, not a list"),
            (
                "url: {drivername: mysql}",
                "test.yaml:1: 'drivername' cannot be 'mysql'; write postgresql: databudgie works with Postgres only"
            ),
            ("url: {port: 5432x}", "test.yaml:1: 'port' must be a number from 1 to 65535, not '5432x'"),
            ("url: {user: u}", "test.yaml:1: unknown key 'user' in a connection; did you mean 'username'?"),
            (
                "connections: {a: b, b: a}\nconnection: a",
                "test.yaml:1: the connection 'a' is defined by itself; give it a URL"
            ),
            (
                "connections: [{url: 'postgresql://h/d'}]",
                "test.yaml:1: an element of 'connections' must be a mapping with a 'name'"
            ),
            (
                "connections: [{name: a, host: h}, {name: a, host: i}]",
                "test.yaml:1: there are two connections with the name 'a'; rename one of them"
            ),
            ("connections: text", "test.yaml:1: 'connections' must be a mapping or a list, not a string"),
        ]
    )
    func refused(yaml: String, line: String) {
        #expect(problems(yaml).contains(line), "\(problems(yaml))")
    }

    @Test("A named connection that cannot be used is an error only where it is chosen")
    func unusedConnection() throws {
        var fixture = ConfigurationFixture(
            "url: postgresql://h/d\nconnections:\n  old: mysql://h/d\n  lost: nowhere\n  good: postgresql://g/d"
        )
        let shown = try fixture.load()
        #expect(shown.backup.run.connections.map(\.name) == ["good"])
        #expect(shown.warnings.count == 2)
        #expect(
            shown.warnings.first?.description.hasPrefix("test.yaml:3: the connection 'old' cannot be used: ") == true
        )
        fixture.action = .backup
        #expect(try fixture.load().warnings.isEmpty)
        fixture.overrides.connection = "lost"
        #expect(fixture.problems.first?.contains("there is no connection 'nowhere'") == true)
    }

    @Test("A run needs no connection of the other command", arguments: [RunKind.backup, .restore])
    func otherCommand(action: RunKind) throws {
        let sections = [RunKind.backup: "backup", .restore: "restore"]
        let other = action == .backup ? "restore" : "backup"
        let section = try #require(sections[action])
        var fixture = ConfigurationFixture("\(section): {url: postgresql://h/d}\n\(other): {connection: prod}")
        #expect(fixture.problems.count == 1)
        fixture.action = action
        let loaded = try fixture.load()
        let run = action == .backup ? loaded.backup.run : loaded.restore.run
        #expect(run.connection?.keywords["host"] == "h")
    }

    @Test(
        "A URL without its scheme, or in another place, is refused without its password",
        arguments: [
            "url: user:hunter2@host/db", "connection: ':hunter2@host'", "url: hunter2@host",
            "connection: user:hunter2\nconnections: {prod: postgresql://h/d}",
            "url: {drivername: 'postgres://u:hunter2@h/d'}", "url: {port: '5432:hunter2@h'}",
            "url: {'postgresql://u:hunter2@h/d': }", "adapter: postgresql://u:hunter2@h/d",
            "strict: postgresql://u:hunter2@h/d", "compression: postgresql://u:hunter2@h/d",
            "compression: 'zst:hunter2'",
            "compression: 'gzip:hunter2'",
            "logging: {level: 'postgresql://u:hunter2@h/d'}", "url: 'postgresql://u:ab{ref.hunter2@h/d'",
            "url: {host: 'u:hunter2@h'}",
            "url: postgresql://u:p@hunter2@h/d", "url: postgresql://u:1?hunter2=x@h/d",
            "url: postgresql://u:p@hunter2#x/y@h/d", "tables: {'u:hunter2@h/d': 1}", "connections: [u:hunter2@h/d]",
            "tables: [{name: a, 'u:hunter2@h/d': 1}]", "location: '{u:hunter2@h/d}'", "query: 's3://u:hunter2@h/{x}'",
        ]
    )
    func secretsOfMistakes(yaml: String) throws {
        let line = try #require(problems(yaml).first)
        #expect(line.hasPrefix("test.yaml:1: "))
        #expect(!line.contains("hunter2"), "\(line)")
    }

    @Test(
        "A URL in place of a configuration file is refused without its password",
        arguments: ["u:hunter2@h/d", "postgresql://u:hunter2@h/d", "postgresql://hunter2", "u:p@hunter2@h/d.yml"]
    )
    func secretsOfFileNames(file: String) throws {
        var fixture = ConfigurationFixture("")
        fixture.overrides.configFiles = [file]
        #expect(
            fixture.problems == [
                "--config: this is a URL and not the name of a configuration file; give a database's URL with --url"
            ]
        )
    }

    @Test("A password without quotes in JSON is not repeated")
    func barePassword() {
        for text in [#"{"password": hunter2}"#, #"{"password": 'hunter2'}"#, #"{"password": "a\hunter2"}"#] {
            let found = ConfigurationFixture(text, format: .json).problems
            #expect(found.count == 1)
            #expect(found.first?.contains("hunter2") == false, "\(found)")
        }
    }

    @Test("An option that libpq does not know is refused with the place of the connection")
    func unknownOption() {
        #expect(
            problems("url: {host: h, query: {sslmod: require}}")
                == ["test.yaml:1: the connection option \"sslmod\" is unknown to libpq; remove it, or correct its name"]
        )
    }

    @Test("A database can be named like a list of options")
    func oddDatabase() throws {
        let configuration = try configuration("url: {host: h, database: dbname=x}")
        #expect(configuration.backup.run.connection?.keywords["dbname"] == "dbname=x")
        #expect(ConfigurationPrinter().yaml(configuration).contains("database: dbname=x"))
    }

    @Test("A URL without its scheme is reported with the form to write")
    func missingScheme() {
        let expected =
            "test.yaml:1: the connection is neither the name of one of 'connections' nor a URL with a scheme; "
            + "write it as postgresql://user@host/database"
        #expect(problems("url: user:secret@host/db").contains(expected))
    }

    @Test("A URL with a fault is refused without its password")
    func badURL() throws {
        let line = try #require(problems("url: postgresql://u:hunter2@h:port/d?nonsense=1").first)
        #expect(line.hasPrefix("test.yaml:1: "))
        #expect(!line.contains("hunter2"))
    }
}
