import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Statements that go with the next one")
struct DeferredStatementTests {
    private struct Stop: Error {}

    /// What can come next.
    enum Next: CaseIterable {
        case execute, query, ownQuery, describe, copyOut, ownCopyOut, copyIn, ownCopyIn, commit
    }

    private func run(_ next: Next, _ connection: Connection) async throws {
        let out = "copy (select 1) to stdout with (format csv, header)"
        let `in` = "copy rows from stdin with (format csv, header)"
        switch next {
        case .execute: try await connection.execute("select 1; select 2")
        case .query: _ = try await connection.query("select $1::int", ["1"])
        case .ownQuery: _ = try await connection.query(ownText: "select 1 as a")
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
                        for next in [Next.execute, .ownQuery, .ownCopyOut, .ownCopyIn, .query, .copyOut] {
                            let before = proxy.roundTrips
                            await connection.sendWithNext("savepoint s; set local work_mem = '1MB'")
                            try await run(next, connection)
                            trips.append(proxy.roundTrips - before)
                        }
                        // COPY FROM waits twice: for the server to be ready, and for its count.
                        #expect(trips == [1, 1, 1, 2, 2, 2])
                    }
                }
            }
        }
    }

    @Test("A transaction is begun with its first statement, and not at all without one", arguments: Next.allCases)
    func begins(_ next: Next) async throws {
        var options = TransactionOptions(isolation: .repeatableRead, settings: ["work_mem": "1MB"])
        options.beginsWithNext = true
        try await withTables(Self.schema) { connection in
            let state = """
                select pg_catalog.current_setting('transaction_isolation') as isolation,
                    pg_catalog.current_setting('work_mem') as memory
                """
            try await connection.withTransaction(options) { connection in
                try await run(next, connection)
                guard next != .commit else { return }
                let row = try await connection.query(state).rows.first
                #expect(row?["isolation"] == "repeatable read")
                #expect(row?["memory"] == "1MB")
            }
            let row = try await connection.query(state).rows.first
            #expect(row?["isolation"] == "read committed")
            #expect(row?["memory"] != "1MB")
            await #expect(throws: Stop.self) {
                try await connection.withTransaction(options) { connection in
                    try await run(next, connection)
                    throw Stop()
                }
            }
            let after = try await connection.query(state).rows.first
            #expect(after?["isolation"] == "read committed")
        }
    }

    @Test("A setting that is refused is the error of the first statement, and leaves no transaction")
    func refusedBeginning() async throws {
        var options = TransactionOptions(settings: ["no_such_setting": "1"])
        options.beginsWithNext = true
        try await withTables(Self.schema) { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction(options) { try await $0.execute("insert into rows values (1)") }
            }
            #expect(error?.sqlState == "42704")
            try await connection.withTransaction { try await $0.execute("insert into rows values (2)") }
            let rows = try await connection.query("select i from rows").rows
            #expect(rows.map { $0[0] } == ["2"])
        }
    }

    @Test("A COPY of our own brings the answer to a question along, asked once its rows are read")
    func copyWithQuestion() async throws {
        try await withTables(Self.schema) { connection in
            for count in [0, 3] {
                try await connection.execute("insert into log select 'x' from generate_series(1, \(count))")
                let copy = try await connection.copyOut(
                    ownText: "copy (select text from log) to stdout with (format csv, header)",
                    asking: "select count(*) as count, 'y' as y from log"
                )
                for try await _ in copy {}
                #expect(copy.rows == count)
                #expect(copy.answer?.rows.map { [$0["count"], $0["y"]] } == [["\(count)", "y"]])
            }
            let broken = try await connection.copyOut(
                ownText: "copy (select 1) to stdout with (format csv, header)",
                asking: "select 1 / 0"
            )
            let error = await #expect(throws: PostgresError.self) { for try await _ in broken {} }
            #expect(error?.sqlState == "22012")
            let results = try await connection.queries(ownTexts: [
                "select 1 as a", "select 2 as b where false", "select 3",
            ])
            #expect(results.map(\.rows.count) == [1, 0, 1])
            #expect(results[0].rows.first?["a"] == "1")
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
