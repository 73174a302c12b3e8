import Postgres
import Storage
import Testing

@testable import Databudgie

@Suite("Interpolation")
struct InterpolationTests {
    @Test(
        "A finished value is read again as a literal of its format",
        arguments: [
            // What databudgie 2.9.3 makes of the same texts, but that a text is never taken apart at a colon.
            (ConfigurationFormat.yaml, "null", SourceScalar.Kind.null), (.yaml, "true", .bool), (.yaml, "12", .number),
            (.yaml, "1e3", .number), (.yaml, "-5", .number), (.yaml, "no", .string), (.yaml, "'1'", .string),
            (.yaml, "\"true\"", .string), (.yaml, "", .null), (.yaml, "~", .string), (.yaml, ".5", .string),
            (.yaml, "a: b", .string), (.yaml, "on", .string), (.json, "null", .null), (.json, "true", .bool),
            (.json, "True", .string), (.json, "1", .number), (.json, "012", .string), (.json, "", .string),
            (.json, "\"1\"", .string), (.toml, "true", .bool), (.toml, "1", .number), (.toml, "null", .string),
            (.toml, "'1'", .string),
        ]
    )
    func literals(format: ConfigurationFormat, value: String, kind: SourceScalar.Kind) throws {
        let sources = ConfigurationSources(environment: ["V": value])
        let place = SourcePlace("f", line: 1, format: format)
        let result = try Interpolation(sources: sources).insert(into: "<% ENV[V] %>", at: place).value(at: place)
        #expect(result.scalar?.kind == kind)
    }

    @Test("Quotes of a literal are not part of its text")
    func quotes() throws {
        let configuration = try configuration(
            "environment: <% ENV[E, 'it''s'] %>\nmanifest: '<% ENV[M] %>'",
            environment: ["M": "\"a\\tb\""]
        )
        #expect(configuration.environment == "it's")
        #expect(configuration.backup.run.manifest == "a\tb")
    }

    @Test("A text may contain several values, and defaults step in")
    func several() throws {
        let configuration = try configuration(
            "location: s3://<%ENV[BUCKET]%>/<% ENV[FOLDER, back ups] %>/{table}\ntables: [a]",
            environment: ["BUCKET": "b"]
        )
        #expect(configuration.backup.tables.map(\.options.location.description) == ["s3://b/back ups/{table}"])
    }

    @Test("A list can be given by a variable, as JSON")
    func lists() throws {
        let configuration = try configuration(
            "exclude: <% ENV[X] %>\ntables: [a]",
            environment: ["X": "[\"b\", \"c\"]"]
        )
        #expect(configuration.backup.tables.map(\.options.exclude) == [["b", "c"]])
    }

    @Test("Null from a variable means the default")
    func null() throws {
        let configuration = try configuration(
            "compression: <% ENV[C, null] %>\nfilename: <% ENV[F, null] %>\ntables: [a]"
        )
        #expect(configuration.backup.tables.map(\.compression) == [nil])
        #expect(configuration.backup.tables.map(\.options.filename.description) == ["{timestamp}.{ext}"])
    }

    @Test("Inserted text is never interpolated itself, and a password is never taken apart")
    func noSecondPass() throws {
        let password = "a: b #<% ENV[HOME] %>"
        let configuration = try configuration(
            "connection: {host: h, password: '<% ENV[P] %>'}",
            environment: ["P": password]
        )
        #expect(configuration.backup.run.connection?.keywords["password"] == password)
    }

    @Test(
        "A password given by a variable is that password, whatever it looks like",
        arguments: [
            "null", "~", "true", "012", "1e3", "'x'", "\"x\"", "{\"a\": 1}", "[1]", "ab{ref.x}c", "{table}", "# : @",
        ],
        [ConfigurationFormat.yaml, .json, .toml]
    )
    func literalPasswords(value: String, format: ConfigurationFormat) throws {
        let text =
            switch format {
            case .yaml, .yml:
                """
                x-note: <% ENV[P] %>
                connection: {host: h, password: "<% ENV[P] %>", query: {sslpassword: "<% DOCKER_SECRET[P] %>"}}
                connections: {other: {host: h, password: "{ref.x-note}"}}
                s3: {aws_secret_access_key: "<% ENV[P] %>", aws_session_token: "<% ENV[NO, null] %>"}
                """
            case .json:
                """
                {"x-note": "<% ENV[P] %>", "s3": {"aws_secret_access_key": "<% ENV[P] %>", "aws_session_token": null},
                "connection": {"host": "h", "password": "<% ENV[P] %>", "query": {"sslpassword": "<% DOCKER_SECRET[P] %>"}},
                "connections": {"other": {"host": "h", "password": "{ref.x-note}"}}}
                """
            case .toml:
                """
                x-note = "<% ENV[P] %>"
                s3 = {aws_secret_access_key = "<% ENV[P] %>"}
                connection = {host = "h", password = "<% ENV[P] %>", query = {sslpassword = "<% DOCKER_SECRET[P] %>"}}
                connections = {other = {host = "h", password = "{ref.x-note}"}}
                """
            }
        let run = try ConfigurationFixture(text, format: format, environment: ["P": value]).load().backup.run
        #expect(run.connection?.keywords == ["host": "h", "password": value, "sslpassword": value])
        #expect(run.connections.first?.parameters.keywords["password"] == value)
        #expect(run.s3.secretAccessKey == value)
        #expect(run.s3.sessionToken == nil)
    }

    @Test(
        "A reference in inserted text is text",
        arguments: ["ab{ref.x}c", "{ref.environment}", "${ref:environment}", "{ref", "{{ref.x}}"]
    )
    func noReferences(value: String) throws {
        let yaml =
            "environment: e\nconnection: {host: h, password: '<% ENV[P] %>', username: '{ref.environment}<% ENV[P] %>'}"
        let keywords = try configuration(yaml, environment: ["P": value]).backup.run.connection?.keywords
        #expect(keywords?["password"] == value)
        #expect(keywords?["user"] == "e" + value)
        try withFolder(["secret": value]) {
            var fixture = ConfigurationFixture(
                "connection: {password: '<% FILE[secret] %>', username: '<% DOCKER_SECRET[S] %>'}",
                environment: ["S_FILE": "secret"]
            )
            fixture.workingDirectory = $0
            let keywords = try fixture.load().backup.run.connection?.keywords
            #expect(keywords?["password"] == value)
            #expect(keywords?["user"] == value)
        }
    }

    @Test("A brace that was inserted does not complete one that was written")
    func joinedBraces() throws {
        let yaml = "environment: '<% ENV[A] %>ref.manifest}'\nmanifest: '<% ENV[A] %>{ref.x-note}'\nx-note: n"
        let configuration = try configuration(yaml, environment: ["A": "{"])
        #expect(configuration.environment == "{ref.manifest}")
        #expect(configuration.backup.run.manifest == "{n")
    }

    @Test("A written reference may have an inserted step, and a default may be a reference")
    func writtenReferences() throws {
        let yaml =
            "x-a: {one: 1st}\nenvironment: '{ref.x-a[<% ENV[STEP] %>]}'\nmanifest: '<% ENV[NO, {ref.x-a.one}] %>'"
        let configuration = try configuration(yaml, environment: ["STEP": "one"])
        #expect(configuration.environment == "1st")
        #expect(configuration.backup.run.manifest == "1st")
    }

    @Test("FILE inserts a file's text as it is, without its last line break")
    func file() throws {
        try withFolder(["q.sql": "select 1\nfrom t\n", "n.txt": "null\n"]) {
            var fixture = ConfigurationFixture(
                "query: <% FILE[q.sql] %>\nenvironment: <% FILE[n.txt] %>\nmanifest: <% FILE[no, m] %>\ntables: [a]"
            )
            fixture.workingDirectory = $0
            let configuration = try fixture.load()
            #expect(configuration.backup.tables.map(\.query.description) == ["select 1\nfrom t"])
            #expect(configuration.environment == "null")
            #expect(configuration.backup.run.manifest == "m")
        }
    }

    @Test("DOCKER_SECRET reads the file that NAME_FILE names, else the variable NAME")
    func dockerSecret() throws {
        try withFolder(["secret": "hunter2\n"]) {
            var fixture = ConfigurationFixture(
                "connection: {host: h, password: '<% DOCKER_SECRET[pass] %>', username: '<% DOCKER_SECRET[who] %>'}"
            )
            fixture.environment = ["PASS_FILE": $0 + "/secret", "who": "me"]
            let keywords = try fixture.load().backup.run.connection?.keywords
            #expect(keywords?["password"] == "hunter2")
            #expect(keywords?["user"] == "me")
        }
    }

    @Test(
        "A missing value is an error with its place",
        arguments: [
            ("<% ENV[NO] %>", "test.yaml:2: the environment variable NO is not set; set it, or give a default"),
            ("<% FILE[no.txt] %>", "test.yaml:2: cannot insert the file 'no.txt': the file does not exist"),
            ("<% DOCKER_SECRET[x] %>", "test.yaml:2: the secret x is missing; set X_FILE to the path of its file"),
            (
                "<% VAULT[x] %>",
                "test.yaml:2: unknown interpolation 'VAULT'; use one of ENV, FILE, DOCKER_SECRET"
            ),
            ("<% ENV[NO %>", "test.yaml:2: the interpolation 'ENV[' is not finished"),
        ]
    )
    func missing(text: String, message: String) {
        let found = problems("# first line\nenvironment: \(text)")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(message) == true, "\(found)")
    }

    @Test("Operators of pg_trgm are not interpolations")
    func operators() throws {
        let query = "select 'x' <% name from t where a <% b[1]"
        #expect(try configuration("query: \"\(query)\"\ntables: [a]").backup.tables.map(\.query.description) == [query])
    }

    @Test("Keys and notes are not interpolated")
    func keysAndNotes() throws {
        let configuration = try configuration("x-note: <% ENV[NO] %>\ntables: {'<% ENV[NO] %>': }")
        #expect(configuration.backup.tables.map(\.options.name) == ["<% ENV[NO] %>"])
    }

    @Test("A value that a stronger source replaces needs no variable")
    func replaced() throws {
        var fixture = ConfigurationFixture("url: <% ENV[NO] %>")
        fixture.overrides.url = "postgresql://h/db"
        #expect(try fixture.load().backup.run.connection?.keywords["host"] == "h")
    }
}
