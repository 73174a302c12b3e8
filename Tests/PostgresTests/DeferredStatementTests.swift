import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Statements that go with the next one")
struct DeferredStatementTests {
    private struct Stop: Error {}

    /// What can come next.
    enum Next: CaseIterable {
        case execute, query, describe, copyOut, ownCopyOut, copyIn, ownCopyIn, commit
    }

    private func run(_ next: Next, _ connection: Connection) async throws {
        let out = "copy (select 1) to stdout with (format csv, header)"
        let `in` = "copy rows from stdin with (format csv, header)"
        switch next {
        case .execute: try await connection.execute("select 1; select 2")
        case .query: _ = try await connection.query("select $1::int", ["1"])
        case .describe: _ = try await connection.describe("select 1 as a")
        case .copyOut: for try await _ in try await connection.copyOut(out) {}
        case .ownCopyOut: for try await _ in try await connection.copyOut(ownText: out) {}
        case .copyIn: _ = try await connection.copyIn(`in`, from: ByteChunks(["i\n1\n"]))
        case .ownCopyIn: _ = try await connection.copyIn(ownText: `in`, from: ByteChunks(["i\n1\n"]))
        case .commit: break
        }
    }

    private static let schema = "create table rows (i int); create table log (text text)"

    @Test("They run before it, whatever it is, and once", arguments: Next.allCases)
    func order(_ next: Next) async throws {
        try await withTables(Self.schema) { connection in
            try await connection.withTransaction { connection in
                await connection.sendWithNext("insert into log values ('a'); savepoint s")
                await connection.sendWithNext("insert into log select 'b' || count(*) from log")
                try await run(next, connection)
            }
            let rows = try await connection.query("select text from log order by text").rows
            #expect(rows.map { $0[0] } == ["a", "b1"])
        }
    }

    @Test("An error of theirs is that of the next statement, which does not run", arguments: Next.allCases)
    func failure(_ next: Next) async throws {
        try await withTables(Self.schema) { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { connection in
                    await connection.sendWithNext("insert into log values ('a'); select 1 / 0")
                    try await run(next, connection)
                }
            }
            #expect(error?.sqlState == "22012")
            let logged = try await connection.query("select from log").rows
            #expect(logged.isEmpty)
            let entered = try await connection.query("select from rows").rows
            #expect(entered.isEmpty)
        }
    }

    @Test("They are dropped when the transaction is rolled back")
    func rollback() async throws {
        try await withTables(Self.schema) { connection in
            await #expect(throws: Stop.self) {
                try await connection.withTransaction { connection in
                    await connection.sendWithNext("insert into log values ('a')")
                    throw Stop()
                }
            }
            try await connection.execute("select 1")
            let answer = try await connection.query("select from log").rows
            #expect(answer.isEmpty)
        }
    }

    @Test("A COPY of our own takes them along in one round trip, a parameter or a text of the user's does not")
    func roundTrips() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await CuttingProxy.withProxy(to: parameters) { proxy async throws in
                try await Connection.withConnection(to: proxy.parameters) { connection in
                    try await connection.execute(Self.schema)
                    try await connection.withTransaction { connection in
                        var trips: [Int] = []
                        for next in [Next.execute, .ownCopyOut, .ownCopyIn, .query, .copyOut] {
                            let before = proxy.roundTrips
                            await connection.sendWithNext("savepoint s; set local work_mem = '1MB'")
                            try await run(next, connection)
                            trips.append(proxy.roundTrips - before)
                        }
                        // COPY FROM waits twice: for the server to be ready, and for its count.
                        #expect(trips == [1, 1, 2, 2, 2])
                    }
                }
            }
        }
    }

    @Test("A COPY of our own reports what is wrong with it, and leaves the connection usable")
    func brokenCopies() async throws {
        try await withTables(Self.schema) { connection in
            for text in [
                "copy nothing to stdout", "copy (select 1 / 0) to stdout with (header, format csv)", "select 1",
            ] {
                await #expect(throws: PostgresError.self) {
                    for try await _ in try await connection.copyOut(ownText: text) {}
                }
                let one = try await connection.query("select 1").rows
                #expect(one.count == 1)
            }
        }
    }
}
