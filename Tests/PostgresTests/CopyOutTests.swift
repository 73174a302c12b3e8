import DatabudgieTestSupport
import Postgres
import Synchronization
import Testing

@Suite("COPY TO STDOUT")
struct CopyOutTests {
    @Test("The bytes are exactly the server's, and rows are counted whatever is in them")
    func copiesExactly() async throws {
        let rows = """
            create table t (id int, "a,b" text, "c""d" text);
            insert into t values (1, null, ''), (2, E'line\\nbreak', E'\\r\\n'), (3, '"quoted"', 'end'),
                (4, 'ü€🐘', E'\\t,;'), (5, repeat('x', 70000), 'last')
            """
        try await withTables(rows) { connection in
            let copy = try await connection.copyOut("copy t to stdout csv header")
            #expect(copy.rows == nil)
            let all = try await copy.collect()
            let expected =
                "id,\"a,b\",\"c\"\"d\"\n1,,\"\"\n2,\"line\nbreak\",\"\r\n\"\n3,\"\"\"quoted\"\"\",end\n4,ü€🐘,\"\t,;\"\n5,"
                + String(repeating: "x", count: 70_000) + ",last\n"
            #expect(String(decoding: all.bytes, as: UTF8.self) == expected)
            #expect(all.rows == 6)
            #expect(copy.rows == 5)
        }
    }

    @Test("Chunks contain whole rows and about as many bytes as were asked for", arguments: [1, 100, 4096, 262_144])
    func batches(chunkSize: Int) async throws {
        try await withSharedConnection { connection in
            let sql = "copy (select i, repeat('x', i % 300) from generate_series(1, 5000) i) to stdout"
            var lines = 0
            var sizes: [Int] = []
            for try await chunk in try await connection.copyOut(sql, hasHeader: false, chunkSize: chunkSize) {
                #expect(chunk.bytes.last == UInt8(ascii: "\n"))
                #expect(chunk.bytes.count { $0 == UInt8(ascii: "\n") } == chunk.rows)
                lines += chunk.rows
                sizes.append(chunk.bytes.count)
            }
            #expect(lines == 5000)
            #expect(sizes.dropLast().allSatisfy { $0 >= chunkSize && $0 < chunkSize + 310 })
            if chunkSize == 1 {
                #expect(sizes.count == 5000)
            }
        }
    }

    @Test("Tables without rows, without columns and without either are copied")
    func copiesEmptyTables() async throws {
        try await withTables("create table none (); create table rows (); create table empty (i int)") { connection in
            try await connection.execute("insert into rows select from generate_series(1, 3)")
            for (table, rows, text) in [("empty", 0, "i\n"), ("none", 0, "\n"), ("rows", 3, "\n\n\n\n")] {
                let copy = try await connection.copyOut("copy \(table) to stdout csv header")
                let all = try await copy.collect()
                #expect(String(decoding: all.bytes, as: UTF8.self) == text)
                #expect(copy.rows == rows)
                let bare = try await connection.copyOut("copy \(table) to stdout csv", hasHeader: false)
                #expect(try await bare.collect().rows == rows)
                #expect(bare.rows == rows)
            }
        }
    }

    @Test("A row of 50 MB between small ones comes in one piece")
    func copiesBigRow() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(
                "copy (select case i when 2 then repeat('x', 50000000) else 'small' end from generate_series(1, 3) i) to stdout",
                hasHeader: false
            )
            var sizes: [Int] = []
            for try await chunk in copy {
                sizes.append(chunk.bytes.count)
            }
            #expect(sizes == [6, 50_000_001, 6])
            #expect(copy.rows == 3)
        }
    }

    @Test("A count that does not match the rows is an error, here because a header is announced that is not sent")
    func comparesCounts() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut("copy (select 1) to stdout csv", hasHeader: true)
            let error = await #expect(throws: PostgresError.self) { try await copy.collect() }
            #expect(error?.code == .protocolViolation)
            #expect(error?.message == "rows of the COPY by the server's count: 1, and by ours: 0")
            #expect(copy.rows == nil)
        }
    }

    @Test("A query that fails after many rows fails the sequence with the server's error")
    func reportsLateFailure() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(
                "copy (select 1 / (i - 400000) from generate_series(1, 500000) i) to stdout",
                hasHeader: false,
                chunkSize: 10_000
            )
            let chunks = Atomic(0)
            let error = await #expect(throws: PostgresError.self) {
                for try await _ in copy {
                    chunks.wrappingAdd(1, ordering: .relaxed)
                }
            }
            #expect(error?.code == .serverError)
            #expect(error?.sqlState == "22012")
            #expect(chunks.load(ordering: .relaxed) > 10)
            #expect(copy.rows == nil)
            #expect(try await connection.query("select 1").rows[0][0] == "1")
        }
    }

    @Test("A query that is wrong fails before the first row")
    func reportsEarlyFailure() async throws {
        try await withSharedConnection { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyOut("copy nothing to stdout")
            }
            #expect(error?.sqlState == "42P01")
        }
    }

    static let endless = "copy (select generate_series(1, 1000000000) as i, repeat('x', 1000)) to stdout"

    @Test("After stopping half-way, the connection is usable at once")
    func stopsHalfWay() async throws {
        try await withSharedConnection { connection in
            let clock = ContinuousClock()
            let start = clock.now
            for try await _ in try await connection.copyOut(Self.endless, hasHeader: false) {
                break
            }
            #expect(try await connection.query("select 1").rows[0][0] == "1")
            _ = try await connection.copyOut(Self.endless, hasHeader: false)
            #expect(try await connection.query("select 2").rows[0][0] == "2")
            #expect(clock.now - start < .seconds(60))
        }
    }

    @Test("A dropped sequence cancels its query without further calls")
    func cancelsWhenDropped() async throws {
        try await withSharedConnection { connection in
            try await withSharedConnection { observer in
                do {
                    var iterator = try await connection.copyOut(Self.endless, hasHeader: false).makeAsyncIterator()
                    #expect(try await iterator.next() != nil)
                }
                let sql = "select from pg_stat_activity where pid = $1::int and state = 'active'"
                while try await !observer.query(sql, [String(connection.server.processID)]).rows.isEmpty {
                    await Task.yield()
                }
            }
        }
    }

    @Test("Another statement ends the sequence with an error that says so")
    func endsByAnotherStatement() async throws {
        try await withSharedConnection { connection in
            let copy = try await connection.copyOut(Self.endless, hasHeader: false)
            var iterator = copy.makeAsyncIterator()
            #expect(try await iterator.next() != nil)
            #expect(try await connection.query("select 1").rows[0][0] == "1")
            let error = await #expect(throws: PostgresError.self) { try await copy.collect() }
            #expect(error?.code == .connectionUnavailable)
        }
    }

    @Test("A cancelled task ends its COPY within a second, while rows come and while none do")
    func cancels() async throws {
        for sql in [Self.endless, "copy (select pg_sleep(60)) to stdout"] {
            try await withSharedConnection { connection in
                try await withSharedConnection { observer in
                    let task = Task {
                        for try await _ in try await connection.copyOut(sql, hasHeader: false) {}
                    }
                    try await waitUntilActive(connection, seenBy: observer)
                    try await expectCancelled(task)
                    #expect(try await connection.query("select 1").rows[0][0] == "1")
                }
            }
        }
    }

    @Test("A connection that ends half-way fails the sequence")
    func reportsLostConnection() async throws {
        try await withSharedConnection { connection in
            try await withSharedConnection { other in
                let copy = try await connection.copyOut(Self.endless, hasHeader: false)
                var iterator = copy.makeAsyncIterator()
                #expect(try await iterator.next() != nil)
                _ = try await other.query("select pg_terminate_backend($1::int)", [String(connection.server.processID)])
                let error = await #expect(throws: PostgresError.self) {
                    while try await iterator.next() != nil {}
                }
                #expect(error?.code == .connectionLost)
                #expect(error?.description.hasPrefix("the connection to the server was lost: ") == true)
            }
        }
    }

    @Test("A COPY after a COPY works, many times, on one connection")
    func copiesAgain() async throws {
        try await withSharedConnection { connection in
            for count in 0..<50 {
                let copy = try await connection.copyOut(
                    "copy (select generate_series(1, \(count))) to stdout csv header"
                )
                #expect(try await copy.collect().rows == count + 1)
            }
        }
    }
}
