import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Reading ahead of COPY TO STDOUT")
struct CopyOutReadingTests {
    /// Sizes of values around those of the server's messages, libpq's buffer, and chunks, each after many bytes already.
    private static let sizes = [
        0, 1, 8_000, 8_191, 8_192, 8_193, 16_383, 16_384, 16_385, 32_768, 65_535, 65_536, 65_537, 245_760, 262_143,
        262_144, 262_145, 278_528, 278_529, 600_000, 3_000_000,
    ]

    @Test(
        "Rows of all sizes arrive whole and in their order, whether the socket is full or runs empty",
        arguments: [1, 65_536, 262_144],
        ["true", "pg_sleep(0.001) is not null"]
    )
    func sizes(chunkSize: Int, pause: String) async throws {
        let sizes = Self.sizes.flatMap { [$0, 100, $0] }
        let values = sizes.map(String.init).joined(separator: ",")
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(
                """
                copy (select chr((65 + n % 26)::int) || repeat('x', s) from unnest('{\(values)}'::int[])
                    with ordinality as u (s, n) where \(pause)) to stdout
                """,
                hasHeader: false,
                chunkSize: chunkSize
            )
            var rows: [ArraySlice<UInt8>] = []
            for try await chunk in copy {
                let lines = chunk.bytes.split(separator: 10, omittingEmptySubsequences: true)
                #expect(lines.count == chunk.rows)
                #expect(chunk.bytes.last == 10)
                rows += lines
            }
            #expect(rows.map { $0.count - 1 } == sizes)
            #expect(rows.compactMap(\.first) == sizes.indices.map { UInt8(65 + ($0 + 1) % 26) })
            #expect(rows.allSatisfy { $0.dropFirst().allSatisfy { $0 == UInt8(ascii: "x") } })
            #expect(copy.rows == sizes.count)
        }
    }

    @Test(
        "Whoever stops reading stops the server, after eight chunks at most, and a row of any size is one of them",
        arguments: [(1_000, 9 * 280), (300_000, 9), (3_000_000, 2), (20_000_000, 2)]
    )
    func bounds(rowSize: Int, maximum: Int) async throws {
        try await withSharedConnection { connection in
            try await withSharedConnection { observer in
                let copy = try await connection.copyOut(
                    "copy (select repeat('x', \(rowSize)) from generate_series(1, 1000000)) to stdout",
                    hasHeader: false
                )
                var iterator = copy.makeAsyncIterator()
                let first = try #require(try await iterator.next())
                #expect(first.rows >= 1)
                let pid = String(connection.server.processID)
                let sql = "select wait_event = 'ClientWrite' from pg_stat_activity where pid = $1::int"
                // The server waits for the socket, and nothing is taken from it any more.
                var received = -1
                while try await observer.query(sql, [pid]).rows.first?[0] != "t" || received != copy.receivedRows {
                    received = copy.receivedRows
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(received <= maximum)
                var rows = first.rows
                while rows < maximum * 3, let chunk = try await iterator.next() { rows += chunk.rows }
                #expect(rows >= maximum * 3)
            }
        }
    }

    @Test("The rows before a failure are delivered, each once, and then the failure, again and again")
    func deliversRowsBeforeFailure() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(
                "copy (select 1 / (6 - i) from generate_series(1, 100) i) to stdout",
                hasHeader: false,
                chunkSize: 1
            )
            var iterator = copy.makeAsyncIterator()
            for _ in 1...5 { #expect(try await iterator.next()?.rows == 1) }
            for _ in 1...2 {
                let error = await #expect(throws: PostgresError.self) { try await iterator.next() }
                #expect(error?.sqlState == "22012")
            }
            #expect(copy.receivedRows == 5)
            #expect(copy.rows == nil)
            #expect(try await connection.query("select 1").rows[0][0] == "1")
        }
    }

    @Test("A task that is cancelled gets none of the rows that were read ahead, and the connection can be used")
    func cancelsWithChunksAhead() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(CopyOutTests.endless, hasHeader: false)
            let (taken, progress) = AsyncStream.makeStream(of: Int.self)
            let (release, gate) = AsyncStream.makeStream(of: Int.self)
            let task = Task {
                var iterator = copy.makeAsyncIterator()
                progress.yield(try await iterator.next()?.rows ?? 0)
                var opened = release.makeAsyncIterator()
                _ = await opened.next()
                _ = try await iterator.next()
            }
            var iterator = taken.makeAsyncIterator()
            let first = try #require(await iterator.next())
            while copy.receivedRows <= first { await Task.yield() }
            task.cancel()
            gate.yield(0)
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(try await connection.query("select 1").rows[0][0] == "1")
        }
    }

    @Test("Two tasks that read one COPY share its rows, each of which one of them gets")
    func shares() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(
                "copy (select i, repeat('x', 500) from generate_series(1, 20000) i) to stdout",
                hasHeader: false,
                chunkSize: 20_000
            )
            let rows = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...2 {
                    group.addTask {
                        var rows = 0
                        for try await chunk in copy { rows += chunk.rows }
                        return rows
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(rows == 20_000)
            #expect(copy.rows == 20_000)
        }
    }

    @Test("Rows that have all arrived can be read to their end after the connection is used for something else")
    func readsOnAfterTheEnd() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(
                "copy (select generate_series(1, 3)) to stdout",
                hasHeader: false,
                chunkSize: 1
            )
            var iterator = copy.makeAsyncIterator()
            #expect(try await iterator.next()?.bytes == Array("1\n".utf8))
            while copy.rows == nil { await Task.yield() }
            #expect(try await connection.query("select 7").rows[0][0] == "7")
            #expect(try await iterator.next()?.bytes == Array("2\n".utf8))
            #expect(try await iterator.next()?.bytes == Array("3\n".utf8))
            #expect(try await iterator.next() == nil)
        }
    }
}
