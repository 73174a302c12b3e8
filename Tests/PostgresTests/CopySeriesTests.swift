import DatabudgieTestSupport
import Postgres
import Testing

@Suite("COPY commands that follow one another in one text")
struct CopySeriesTests {
    private struct Stop: Error {}

    private static let schema = """
        create table a (i int check (i > 0)); create table b (i int check (i > 0)); create table c (i int check (i > 0))
        """

    private static func copy(_ table: String) -> String { "copy \(table) from stdin with (format csv)" }

    /// Copies one row into each table, in one transaction.
    private func run(_ tables: [String], value: String = "1", _ connection: Connection) async throws -> [Int] {
        try await connection.withTransaction { connection in
            await connection.announceCopies(tables.map(Self.copy))
            var counts: [Int] = []
            for table in tables {
                let bytes = ByteChunks([table == "b" ? value : "1", "\n2\n"])
                counts.append(try await connection.copyIn(ownText: Self.copy(table), from: bytes))
            }
            return counts
        }
    }

    private func rows(_ connection: Connection) async throws -> String? {
        let query =
            "select (select count(*) from a) || '|' || (select count(*) from b) || '|' || (select count(*) from c)"
        return try await connection.query(query).rows.first?[0]
    }

    @Test("Each takes one round trip, and its rows are counted by itself")
    func roundTrips() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await CuttingProxy.withProxy(to: parameters) { proxy async throws in
                try await Connection.withConnection(to: proxy.parameters) { connection in
                    try await connection.execute(Self.schema)
                    let before = proxy.roundTrips
                    let counts = try await run(["a", "b", "c", "a"], connection)
                    #expect(counts == [2, 2, 2, 2])
                    // BEGIN, the beginning of the first, each end, COMMIT.
                    #expect(proxy.roundTrips - before == 7)
                    let found = try await rows(connection)
                    #expect(found == "4|2|2")
                }
            }
        }
    }

    @Test("A row that is refused is the error of its table, and the connection is usable afterwards")
    func refusedRow() async throws {
        try await withTables(Self.schema) { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await run(["a", "b", "c"], value: "-1", connection)
            }
            #expect(error?.sqlState == "23514" && error?.tableName == "b")
            let found = try await rows(connection)
            #expect(found == "0|0|0")
            let counts = try await run(["a", "b"], connection)
            #expect(counts == [2, 2])
        }
    }

    @Test("A command that cannot begin fails where its rows would have come", arguments: ["nothing", "b (j)"])
    func refusedCommand(_ table: String) async throws {
        try await withTables(Self.schema) { connection in
            var counts: [Int] = []
            let error = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { connection in
                    await connection.announceCopies(["a", table, "c"].map(Self.copy))
                    for table in ["a", table] {
                        counts.append(try await connection.copyIn(ownText: Self.copy(table), from: ByteChunks(["1\n"])))
                    }
                }
            }
            #expect(["42P01", "42703"].contains(error?.sqlState))
            #expect(counts == [1])
            let found = try await rows(connection)
            #expect(found == "0|0|0")
        }
    }

    @Test("A source that fails, and a transaction that ends in between, leave nothing", arguments: [true, false])
    func interrupted(_ fails: Bool) async throws {
        try await withTables(Self.schema) { connection in
            await #expect(throws: (any Error).self) {
                try await connection.withTransaction { connection in
                    await connection.announceCopies([Self.copy("a"), Self.copy("b")])
                    _ = try await connection.copyIn(ownText: Self.copy("a"), from: ByteChunks(["1\n"]))
                    guard fails else { throw Stop() }
                    _ = try await connection.copyIn(ownText: Self.copy("b"), from: FailingChunks())
                }
            }
            let found = try await rows(connection)
            #expect(found == "0|0|0")
            let counts = try await run(["c"], connection)
            #expect(counts == [2])
        }
    }

    @Test("Another statement in between is refused, as the server waits for rows")
    func statementBetween() async throws {
        try await withTables(Self.schema) { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { connection in
                    await connection.announceCopies([Self.copy("a"), Self.copy("b")])
                    _ = try await connection.copyIn(ownText: Self.copy("a"), from: ByteChunks(["1\n"]))
                    try await connection.execute("select 1")
                }
            }
            #expect(error?.code == .connectionUnavailable)
            let found = try await rows(connection)
            #expect(found == "0|0|0")
        }
    }

    @Test("A task that is cancelled in between ends the series, and the connection is usable afterwards")
    func cancelled() async throws {
        try await withTables(Self.schema) { connection in
            let task = Task {
                try await connection.withTransaction { connection in
                    await connection.announceCopies([Self.copy("a"), Self.copy("b")])
                    _ = try await connection.copyIn(ownText: Self.copy("a"), from: ByteChunks(["1\n"]))
                    withUnsafeCurrentTask { $0?.cancel() }
                    _ = try await connection.copyIn(ownText: Self.copy("b"), from: ByteChunks(["1\n"]))
                }
            }
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            let found = try await rows(connection)
            #expect(found == "0|0|0")
        }
    }

    /// A source that fails at once.
    private struct FailingChunks: AsyncSequence, Sendable {
        struct AsyncIterator: AsyncIteratorProtocol {
            func next() async throws -> [UInt8]? { throw Stop() }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
    }
}
