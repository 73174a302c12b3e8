import DatabudgieTestSupport
import Postgres
import Testing

@Suite("TLS", .enabled("the server was built without TLS") { try await ServerBuild.shared.hasTLS })
struct TLSTests {
    @Test("COPY in both directions works under TLS, with the certificate verified")
    func copiesUnderTLS() async throws {
        try await PostgresServer.withServer(usesTLS: true) { server in
            let folder = try #require(server.folder)
            var parameters = PostgresServer.overTCP(server.superuser)
            parameters.keywords["sslmode"] = "verify-full"
            parameters.keywords["sslrootcert"] = "\(folder)/server.crt"
            try await Connection.withConnection(to: parameters) { connection in
                #expect(connection.server.usesTLS)
                try await connection.execute("create table t (i int, a text)")
                let sql = "copy (select i, repeat('x', 1000) from generate_series(1, 5000) i) to stdout csv header"
                let rows = try await connection.copyOut(sql).collect()
                let count = try await connection.copyIn(
                    "copy t from stdin csv header",
                    from: ByteChunks(bytes: [rows.bytes])
                )
                #expect(count == 5000)
                let copied = try await connection.copyOut("copy t to stdout csv header", hasHeader: true).collect()
                #expect(copied.bytes == Array("i,a\n".utf8) + rows.bytes.dropFirst("i,repeat\n".utf8.count))

                let bad = ByteChunks(bytes: [Array("1,x\nabc,y\n".utf8), Array(rows.bytes.dropFirst(9))])
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.copyIn("copy t from stdin csv", from: bad)
                }
                #expect(error?.sqlState == "22P02")
                #expect(error?.context == "COPY t, line 2, column i")
            }
            parameters.keywords["sslrootcert"] = "/nowhere/root.crt"
            let untrusted = await #expect(throws: PostgresError.self) { try await Connection.connect(to: parameters) }
            #expect(untrusted?.code == .connectionFailed)
            #expect(untrusted?.message.contains("/nowhere/root.crt") == true)
        }
    }
}
