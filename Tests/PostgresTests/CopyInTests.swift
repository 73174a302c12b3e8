import DatabudgieTestSupport
import Postgres
import Testing

@Suite("COPY FROM STDIN")
struct CopyInTests {
    struct Unreadable: Error, Equatable {}

    @Test("What was copied out is copied in, byte for byte")
    func roundTrips() async throws {
        let rows = """
            create table t (id int, a text, b bytea, c float8, d timestamptz, "e,""f" text[]);
            insert into t select i, case i % 4 when 0 then null when 1 then '' when 2 then E'a\\n"b",\\r\\\\' else 'ü€🐘' end,
                decode(md5(i::text), 'hex'), random(), now() + i * interval '1 hour', array[null, 'NULL', '', i::text]
            from generate_series(1, 20000) i;
            create table u (like t)
            """
        try await withTables(rows) { connection in
            let before = try await connection.copyOut("copy t to stdout csv header").collect()
            for size in [997, 65_536, before.bytes.count] {
                let pieces = stride(from: 0, to: before.bytes.count, by: size).map {
                    Array(before.bytes[$0..<min($0 + size, before.bytes.count)])
                }
                try await connection.execute("truncate u")
                let count = try await connection.copyIn("copy u from stdin csv header", from: ByteChunks(bytes: pieces))
                #expect(count == 20_000)
                let after = try await connection.copyOut("copy u to stdout csv header").collect()
                #expect(after == before)
            }
        }
    }

    @Test("A row of 50 MB is stored")
    func storesBigRow() async throws {
        try await withTables("create table t (a text)") { connection in
            let row = [UInt8](repeating: UInt8(ascii: "x"), count: 50_000_000)
            let count = try await connection.copyIn("copy t from stdin csv", from: ByteChunks(bytes: [row, [10]]))
            #expect(count == 1)
            #expect(try await connection.query("select length(a) from t").rows[0][0] == "50000000")
        }
    }

    @Test("Without bytes, or with chunks without bytes, there are no rows")
    func storesNothing() async throws {
        try await withTables("create table t (a text)") { connection in
            let none = try await connection.copyIn("copy t from stdin csv", from: ByteChunks([]))
            #expect(none == 0)
            let one = try await connection.copyIn("copy t from stdin csv", from: ByteChunks(["", "a\n", ""]))
            #expect(one == 1)
        }
    }

    @Test("A bad value is reported with line and column, and nothing is stored")
    func reportsBadValue() async throws {
        try await withTables("create table t (i int, price int)") { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyIn(
                    "copy t from stdin csv",
                    from: ByteChunks(["1,1\n2,", "2\n3,abc\n", "4,4\n"])
                )
            }
            #expect(error?.code == .serverError)
            #expect(error?.sqlState == "22P02")
            #expect(error?.context == "COPY t, line 3, column price")
            #expect(
                error?.description == """
                    invalid input syntax for type integer: "…" (SQLSTATE 22P02); \
                    context: COPY t, line 3, column price
                    """
            )
            let result = try await connection.query("select from t")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A bad value is noticed long before the end of an endless sequence")
    func noticesBadValueEarly() async throws {
        try await withTables("create table t (i int)") { connection in
            let rows = [UInt8](repeating: 0, count: 65_536).indices.map { UInt8($0 % 2 == 0 ? 49 : 10) }
            let source = ByteChunks(bytes: [Array("1\nx\n".utf8), rows], repeatsLast: true)
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyIn("copy t from stdin", from: source)
            }
            #expect(error?.sqlState == "22P02")
            #expect(error?.context?.contains("line 2") == true)
        }
    }

    @Test("A warning of the server during the COPY is not mistaken for a failure")
    func toleratesNotices() async throws {
        let tables = """
            create table t (i int);
            create function warn() returns trigger language plpgsql as
                $$ begin raise warning 'row % %', new.i, repeat('x', 5000); return new; end $$;
            create trigger warn before insert on t for each row execute function warn()
            """
        let notices = Notices()
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters, onNotice: { notices.append($0) }) { connection in
                try await connection.execute(tables)
                let chunks = (0..<100).map { chunk in (0..<20).map { "\(chunk * 20 + $0)\n" }.joined() }
                #expect(try await connection.copyIn("copy t from stdin", from: ByteChunks(chunks)) == 2000)
                #expect(notices.all.count == 2000)
            }
        }
    }

    @Test("A source that fails stores nothing, and its own error comes back")
    func rethrowsSourceError() async throws {
        try await withTables("create table t (i int)") { connection in
            await #expect(throws: Unreadable()) {
                try await connection.copyIn(
                    "copy t from stdin",
                    from: ByteChunks(["1\n", "2\n"], failure: Unreadable())
                )
            }
            await #expect(throws: Unreadable()) {
                try await connection.withTransaction { transaction in
                    try await transaction.execute("insert into t values (0)")
                    _ = try await transaction.copyIn(
                        "copy t from stdin",
                        from: ByteChunks(["3\n"], failure: Unreadable())
                    )
                }
            }
            let result = try await connection.query("select from t")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A cancelled task stores nothing, while the source waits and while the server does")
    func cancels() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                try await Connection.withConnection(to: parameters) { observer in
                    try await connection.execute("create table t (i int); create table blocked (i int)")
                    let waiting = ByteChunks(["1\n", "2\n"]) { position in
                        if position == 1 { try await Task.sleep(for: .seconds(60)) }
                    }
                    let task = Task { try await connection.copyIn("copy t from stdin", from: waiting) }
                    try await waitUntilActive(connection, seenBy: observer)
                    try await expectCancelled(task)
                    #expect(try await connection.query("select from t").rows.isEmpty)

                    try await observer.execute("begin; lock table blocked")
                    let lines = Array(repeating: Array(repeating: UInt8(ascii: "1"), count: 5) + [10], count: 10_000)
                    let many = Array(repeating: Array(lines.joined()), count: 100)
                    let stuck = Task {
                        try await connection.copyIn("copy blocked from stdin", from: ByteChunks(bytes: many))
                    }
                    try await waitUntilBlocked(connection, seenBy: observer)
                    try await expectCancelled(stuck)
                    #expect(try await connection.query("select 1").rows[0][0] == "1")
                }
            }
        }
    }

    @Test("The connection refuses other work while it waits for the source")
    func refusesOtherWork() async throws {
        try await withTables("create table t (i int)") { connection in
            let source = ByteChunks(["1\n"]) { _ in
                let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
                #expect(error?.code == .connectionUnavailable)
            }
            let result = try await connection.copyIn("copy t from stdin", from: source)
            #expect(result == 1)
        }
    }

    @Test("A connection that the server ends is noticed before the end of the source")
    func noticesLostConnection() async throws {
        try await withTables("create table t (i int)") { connection in
            try await withSharedConnection { other in
                let endless = ByteChunks(bytes: [Array("1\n2\n3\n".utf8)], repeatsLast: true)
                let task = Task { try await connection.copyIn("copy t from stdin", from: endless) }
                try await waitUntilActive(connection, seenBy: other)
                _ = try await other.query("select pg_terminate_backend($1::int)", [String(connection.server.processID)])
                let error = await #expect(throws: PostgresError.self) { try await task.value }
                #expect(error?.code == .connectionLost)
            }
        }
    }
}
