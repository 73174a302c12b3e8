import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@Suite("Connecting")
struct ConnectionErrorTests {
    @Test("A connection knows its server")
    func knowsServer() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                let row = try await connection.query(
                    """
                    select current_setting('server_version_num'), pg_backend_pid(), current_database(), current_user,
                        current_setting('client_encoding'), current_setting('application_name')
                    """
                ).rows[0]
                let server = connection.server
                #expect(row[0] == String(server.versionNumber))
                #expect(server.majorVersion >= 10)
                #expect(row[1] == String(server.processID))
                #expect(row[2] == server.database)
                #expect(row[3] == server.user)
                #expect(server.encoding == "UTF8")
                #expect(server.host == parameters.keywords["host"])
                #expect(row[4] == "UTF8")
                #expect(row[5] == "databudgie")
            }
        }
    }

    @Test("A connection knows by which name it has found its server, and at which address")
    func knowsAddress() async throws {
        let socket = try await PostgresServer.shared.superuser
        try await Connection.withConnection(to: socket) { connection in
            #expect(connection.server.address == "")
            #expect(!connection.server.hasGivenAddress)
        }
        try await PostgresServer.withDatabase { database in
            var parameters = PostgresServer.overTCP(database)
            parameters.keywords["host"] = "localhost"
            try await Connection.withConnection(to: parameters) { connection in
                #expect(connection.server.host == "localhost")
                #expect(["127.0.0.1", "::1"].contains(connection.server.address))
                #expect(!connection.server.hasGivenAddress)
            }
            parameters.keywords["host"] = "somewhere.example.com"
            parameters.keywords["hostaddr"] = "127.0.0.1"
            try await Connection.withConnection(to: parameters) { connection in
                #expect(connection.server.host == "somewhere.example.com")
                #expect(connection.server.address == "127.0.0.1")
                #expect(connection.server.hasGivenAddress)
            }
        }
    }

    @Test("Another name of the application can be given")
    func takesApplicationName() async throws {
        var parameters = try await PostgresServer.shared.superuser
        parameters.keywords["application_name"] = "nightly"
        try await Connection.withConnection(to: parameters) { connection in
            let result = try await connection.query("show application_name")
            #expect(result.rows[0][0] == "nightly")
        }
    }

    @Test("A port without a server is reported in one line")
    func unreachable() async throws {
        let parameters = try ConnectionParameters(url: "postgresql://me:secret@127.0.0.1:1/shop")
        let error = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
        #expect(error?.code == .connectionFailed)
        #expect(
            error?.description
                == #"connection to server at "127.0.0.1", port 1 failed: Connection refused"#
        )
    }

    @Test("A socket folder without a server is reported in one line")
    func missingSocket() async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await Connection.connect(to: ConnectionParameters(keywords: ["host": "/nowhere", "port": "5"]))
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.description.contains("/nowhere/.s.PGSQL.5") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("A host that does not exist is reported")
    func unknownHost() async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await Connection.connect(to: ConnectionParameters(url: "postgresql://no-such-host.invalid/d"))
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.message.contains("no-such-host.invalid") == true)
    }

    @Test("A wrong password is an authentication failure, and is not repeated")
    func wrongPassword() async throws {
        try await PostgresServer.withRole("LOGIN PASSWORD 'right'") { role in
            let superuser = try await PostgresServer.shared.superuser
            let wrong = PostgresServer.overTCP(superuser, user: role, password: "secret")
            let error = await #expect(throws: PostgresError.self) { try await Connection.connect(to: wrong) }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.sqlState == "28P01")
            #expect(error?.message.hasSuffix("FATAL: password authentication failed for user \"\(role)\"") == true)
            #expect(error?.description.contains("secret") == false)
            #expect(error?.description.contains(".c:") == false)

            let none = PostgresServer.overTCP(superuser, user: role, password: .none)
            let missing = await #expect(throws: PostgresError.self) { try await Connection.connect(to: none) }
            #expect(missing?.code == .authenticationFailed)
            #expect(missing?.message.contains("no password supplied") == true)

            let right = PostgresServer.overTCP(superuser, user: role, password: "right")
            try await Connection.withConnection(to: right) { connection in
                #expect(connection.server.user == role)
                #expect(connection.server.usesTLS == false)
            }
        }
    }

    @Test("A missing database and a missing role give different errors")
    func missingDatabaseAndRole() async throws {
        var parameters = try await PostgresServer.shared.superuser
        parameters.keywords["dbname"] = "no such database"
        let database = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
        #expect(database?.code == .connectionFailed)
        #expect(database?.sqlState == "3D000")
        #expect(database?.message.hasSuffix("FATAL: database \"no such database\" does not exist") == true)

        parameters.keywords["user"] = "no such role"
        let role = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
        #expect(role?.code == .authenticationFailed)
        #expect(role?.sqlState == "28000")
    }

    @Test("TLS settings reach libpq")
    func usesTLSSettings() async throws {
        var parameters = PostgresServer.overTCP(try await PostgresServer.shared.superuser)
        parameters.keywords["sslmode"] = "require"
        let required = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
        #expect(required?.message.contains("server does not support SSL") == true)

        parameters.keywords["sslmode"] = "perhaps"
        let invalid = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
        #expect(invalid?.message.contains("sslmode") == true)
    }

    @Test("A service file and a password file are read by libpq")
    func readsServiceAndPasswordFile() async throws {
        try await withTemporaryFolder { folder in
            let server = PostgresServer.overTCP(try await PostgresServer.shared.superuser)
            let keywords = server.keywords
            let port = try #require(keywords["port"])
            let password = try #require(keywords["password"])
            let passwordFile = "\(folder)/passwords"
            try "127.0.0.1:\(port):*:postgres:\(password)\n"
                .write(toFile: passwordFile, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passwordFile)
            let serviceFile = "\(folder)/services"
            try "[shop]\nhost=127.0.0.1\nport=\(port)\nuser=postgres\ndbname=postgres\nsslmode=disable\n"
                .write(toFile: serviceFile, atomically: true, encoding: .utf8)
            let parameters = ConnectionParameters(keywords: ["service": "shop", "passfile": passwordFile])
            // libpq takes the file's place from the environment only, which all tests share; nobody else sets it.
            setenv("PGSERVICEFILE", serviceFile, 1)
            try await Connection.withConnection(to: parameters) { connection in
                #expect(connection.server.port == port)
            }
        }
    }

    @Test("The second host is tried when the first one refuses")
    func triesNextHost() async throws {
        var parameters = PostgresServer.overTCP(try await PostgresServer.shared.superuser)
        let port = try #require(parameters.keywords["port"])
        parameters.keywords["host"] = "127.0.0.1,127.0.0.1"
        parameters.keywords["port"] = "1,\(port)"
        try await Connection.withConnection(to: parameters) { connection in
            #expect(connection.server.port == port)
        }
    }

    @Test("A host that never answers costs the timeout, and the next one is tried")
    func timesOut() async throws {
        let silent = try SilentServer()
        var parameters = PostgresServer.overTCP(try await PostgresServer.shared.superuser)
        let port = try #require(parameters.keywords["port"])
        parameters.keywords["connect_timeout"] = "1"
        parameters.keywords["port"] = String(silent.port)
        let clock = ContinuousClock()
        let start = clock.now
        let error = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
        #expect(error?.code == .connectionFailed)
        #expect(error?.message.contains("port \(silent.port), did not answer within 1 seconds") == true)
        #expect(clock.now - start < .seconds(30))

        parameters.keywords["host"] = "127.0.0.1,127.0.0.1"
        parameters.keywords["port"] = "\(silent.port),\(port)"
        try await Connection.withConnection(to: parameters) { connection in
            #expect(connection.server.port == port)
        }
    }

    @Test("A cancelled task stops waiting for a connection at once")
    func cancelsConnecting() async throws {
        let silent = try SilentServer()
        let parameters = ConnectionParameters(keywords: ["host": "127.0.0.1", "port": String(silent.port)])
        let task = Task { try await Connection.connect(to: parameters) }
        try await silent.waitForConnection()
        let clock = ContinuousClock()
        let start = clock.now
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(clock.now - start < .seconds(30))
    }

    @Test("A closed connection says so")
    func closed() async throws {
        let connection = try await Connection.connect(to: PostgresServer.shared.superuser)
        await connection.close()
        await connection.close()
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
        #expect(error?.code == .connectionUnavailable)
    }
}
