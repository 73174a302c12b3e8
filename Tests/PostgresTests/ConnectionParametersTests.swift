import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Connection parameters")
struct ConnectionParametersTests {
    @Test(
        "A URL is read into libpq's keywords",
        arguments: [
            ("postgresql://", [:]),
            ("postgres://localhost", ["host": "localhost"]),
            ("postgresql://localhost:5433/shop", ["host": "localhost", "port": "5433", "dbname": "shop"]),
            ("POSTGRESQL://u@h/d", ["user": "u", "host": "h", "dbname": "d"]),
            (
                "postgresql+psycopg2://u:p@h:1/d",
                ["user": "u", "password": "p", "host": "h", "port": "1", "dbname": "d"]
            ),
            ("postgres+asyncpg://u:p@h/d", ["user": "u", "password": "p", "host": "h", "dbname": "d"]),
            (
                "postgresql://u:p%40ss%3A%2F%25@h/a%20b",
                ["user": "u", "password": "p@ss:/%", "host": "h", "dbname": "a b"]
            ),
            ("postgresql://u:50%off@h/d", ["user": "u", "password": "50%off", "host": "h", "dbname": "d"]),
            ("postgresql://u:pa/ss?wo:rd@h/d", ["user": "u", "password": "pa/ss?wo:rd", "host": "h", "dbname": "d"]),
            ("postgresql://u:12/3@h/d", ["user": "u", "password": "12/3", "host": "h", "dbname": "d"]),
            ("postgresql://u:1?x@h/d", ["user": "u", "password": "1?x", "host": "h", "dbname": "d"]),
            (
                "postgresql://h:5432/d?application_name=a@b",
                [
                    "host": "h", "port": "5432", "dbname": "d", "application_name": "a@b",
                ]
            ),
            ("postgresql://[::1]:5432/d", ["host": "::1", "port": "5432", "dbname": "d"]),
            ("postgresql://u@[2001:db8::1]/d", ["user": "u", "host": "2001:db8::1", "dbname": "d"]),
            (
                "postgresql://a:1,b:2/d?target_session_attrs=read-write",
                [
                    "host": "a,b", "port": "1,2", "dbname": "d", "target_session_attrs": "read-write",
                ]
            ),
            ("postgresql://a,b:2/d", ["host": "a,b", "port": ",2", "dbname": "d"]),
            ("postgresql://%2Fvar%2Frun%2Fpostgresql/d", ["host": "/var/run/postgresql", "dbname": "d"]),
            ("postgresql://u:p@/d?host=/run/pg", ["user": "u", "password": "p", "host": "/run/pg", "dbname": "d"]),
            ("postgresql+psycopg2:///d?host=a:1&host=b", ["host": "a,b", "port": "1,", "dbname": "d"]),
            ("postgresql:///?service=production", ["service": "production"]),
            (
                "postgresql://h/d?sslmode=verify-full&sslrootcert=/ca.pem",
                [
                    "host": "h", "dbname": "d", "sslmode": "verify-full", "sslrootcert": "/ca.pem",
                ]
            ),
            ("postgresql://h/d?ssl=true", ["host": "h", "dbname": "d", "sslmode": "require"]),
            (
                "postgresql+psycopg2://h/d?options=-c+geqo%3Doff",
                ["host": "h", "dbname": "d", "options": "-c geqo=off"]
            ),
            ("postgresql://h/d?application_name=a+b", ["host": "h", "dbname": "d", "application_name": "a+b"]),
            ("host=localhost dbname=shop password='it''s'", nil),
            (
                #"host=localhost dbname='my shop' password='it\'s'"#,
                [
                    "host": "localhost", "dbname": "my shop", "password": "it's",
                ]
            ),
        ] as [(String, [String: String]?)]
    )
    func readsURL(url: String, expected: [String: String]?) throws {
        guard let expected else {
            #expect(throws: PostgresError.self) { try ConnectionParameters(url: url) }
            return
        }
        #expect(try ConnectionParameters(url: url).keywords == expected)
    }

    @Test("A delimiter of a URL is one whatever combining mark follows it", arguments: SQLQuotingTests.marks)
    func readsMarkedURL(mark: String) throws {
        let url =
            "postgresql+psycopg2://\(mark)u:\(mark)p@\(mark)h:1,\(mark)i:2/\(mark)d"
            + "?application_name=\(mark)a+\(mark)b"
        let keywords = try ConnectionParameters(url: url).keywords
        let expected = [
            "user": "\(mark)u", "password": "\(mark)p", "host": "\(mark)h,\(mark)i", "port": "1,2",
            "dbname": "\(mark)d", "application_name": "\(mark)a \(mark)b",
        ]
        #expect(keywords.mapValues { Array($0.utf8) } == expected.mapValues { Array($0.utf8) })
    }

    @Test("The connection string is read by libpq as the same parameters, whatever is in them")
    func connectionString() throws {
        for text in SQLQuotingTests.oddTexts + SQLQuotingTests.markedTexts {
            let keywords = ["host": "localhost", "user": text, "dbname": text, "options": "-c geqo=off"]
            let string = ConnectionParameters(keywords: keywords).connectionString
            let read = try ConnectionParameters(url: string).keywords
            #expect(read.mapValues { Array($0.utf8) } == keywords.mapValues { Array($0.utf8) })
        }
    }

    @Test("A connection string in place of a database's name is hidden, whatever combining mark follows its signs")
    func hidesMarkedConnectionString() {
        for mark in SQLQuotingTests.marks {
            for database in ["password=\(mark)secret", "postgresql://\(mark)u:secret@h"] {
                let parameters = ConnectionParameters(keywords: ["dbname": database])
                #expect(parameters.description == "postgresql:///***")
            }
        }
    }

    @Test(
        "A URL that cannot be read is refused in one line that says why and repeats no password",
        arguments: [
            ("mysql://u:secret@h/d", "mysql://"),
            (
                "postgresql://u:secret@h/d?prepared_statement_cache_size=0",
                "\"prepared_statement_cache_size\" is unknown"
            ),
            ("postgresql://u:secret@h/d?sslmode", "\"sslmode\" in the URL has no value"),
            ("postgresql://u:p@secret:x@h/d", "a port that is not a number"),
            ("postgresql://[::1/d", "without \"]\""),
            ("u:secret@h/d", "neither a URL"),
            ("host=h passwrd=secret", "\"passwrd\" is unknown"),
            ("host=h client_encoding=latin1", "\"client_encoding\" is latin1"),
            ("postgresql://h/\0", "NUL"),
        ]
    )
    func refusesURL(url: String, expected: String) {
        let error = #expect(throws: PostgresError.self) { try ConnectionParameters(url: url) }
        #expect(error?.code == .invalidParameters)
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("secret") == false)
        #expect(error?.description.contains("\n") == false)
    }

    @Test(
        "A URL whose password has signs that end a password is refused, and no part of it is repeated",
        arguments: [
            "postgresql://u:p@s3cret@h/d", "postgresql://u:s3cret@s3cret/d@h/d", "postgresql://u:p@s3cret/x:y@h/d",
            "postgresql://u:p@s?s3cret@h/d", "postgresql://u:1?s3cret=x@h/d", "postgresql://u:p@s?s3cret=x@h/d",
            "postgresql://u:1,2/s3cret:x@h/d", "postgresql://u:p#s3cret@s3cret@h/d", "postgresql://h/s3cret:s3cret@h",
        ]
    )
    func refusesAmbiguousURL(url: String) {
        let error = #expect(throws: PostgresError.self) { try ConnectionParameters(url: url) }
        #expect(error?.code == .invalidParameters)
        #expect(error?.description.contains("s3cret") == false, "\(error?.description ?? "")")
        #expect(error?.hint?.contains("%40") == true)
    }

    @Test("A database can have an @ in its name, and a user one in an option of the URL")
    func readsSigns() throws {
        #expect(try ConnectionParameters(url: "postgresql://h/d@1").keywords == ["host": "h", "dbname": "d@1"])
        let keywords = try ConnectionParameters(url: "postgresql://h/d?user=me@corp&password=p@w").keywords
        #expect(keywords == ["host": "h", "dbname": "d", "user": "me@corp", "password": "p@w"])
    }

    @Test("What libpq marks as secret is hidden, and so is what libpq does not know")
    func hidesSecrets() {
        let parameters = ConnectionParameters(keywords: [
            "host": "u:s3cret@h", "password": "s3cret", "sslpassword": "s3cret", "replication": "s3cret",
            "oauth_client_secrets": "s3cret", "sslmode": "require",
        ])
        #expect(
            parameters.description
                == "postgresql://:***@***?oauth_client_secrets=***&replication=***&sslmode=require&sslpassword=***"
        )
    }

    @Test("A host with a user in it is refused before anything is sent, and not repeated; an abstract socket is a host")
    func refusesUserInHost() async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await Connection.connect(to: ConnectionParameters(keywords: ["host": "u:s3cret@h"]))
        }
        #expect(error?.code == .invalidParameters)
        #expect(error?.description.contains("s3cret") == false)
        #expect(try ConnectionParameters(url: "host=@databudgie").keywords["host"] == "@databudgie")
    }

    @Test("A database with the name of a connection string is that database", arguments: ["dbname=x", "a b=c"])
    func oddDatabase(name: String) async throws {
        try await withSharedConnection { connection in
            let quoted = quotedIdentifier(name)
            try await connection.execute("create database \(quoted)")
            var parameters = try await PostgresServer.shared.superuser
            parameters.keywords["dbname"] = name
            let found = try await Connection.withConnection(to: parameters) {
                try await $0.query("select current_database()").rows[0][0]
            }
            try await connection.execute("drop database \(quoted)")
            #expect(found == name)
            #expect(parameters.description.contains("/\(name)"))
        }
    }

    @Test("The description is a URL without the password")
    func describesWithoutPassword() throws {
        let parameters = try ConnectionParameters(
            url: "postgresql://me:secret@a:1,[::1]:2/shop?sslmode=require&sslpassword=secret"
        )
        #expect(parameters.description == "postgresql://me:***@a:1,[::1]:2/shop?sslmode=require&sslpassword=***")
        #expect(String(reflecting: parameters).contains("secret") == false)
        var dumped = ""
        dump(parameters, to: &dumped)
        #expect(dumped.contains("secret") == false)
        #expect(
            ConnectionParameters(keywords: ["dbname": "postgresql://u:secret@h"]).description.contains("secret")
                == false
        )
    }

    @Test("An unknown keyword is refused before anything is sent")
    func refusesUnknownKeyword() async {
        let error = await #expect(throws: PostgresError.self) {
            try await Connection.connect(to: ConnectionParameters(keywords: ["hots": "localhost"]))
        }
        #expect(
            error?.description == #"the connection option "hots" is unknown to libpq; remove it, or correct its name"#
        )
        #expect(error?.message == #"the connection option "hots" is unknown to libpq"#)
        #expect(error?.hint == "remove it, or correct its name")
    }
}
