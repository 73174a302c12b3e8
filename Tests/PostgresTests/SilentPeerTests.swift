import CLibpq
import DatabudgieTestSupport
import Glibc
import Synchronization
import Testing

@testable import Postgres

@Suite("Servers that fall silent", .timeLimit(.minutes(3)))
struct SilentPeerTests {
    /// Runs a closure with a connection through a proxy, and one past it.
    private func withConnections(
        _ body: @Sendable @escaping (SilentProxy, _ connection: Connection, _ direct: Connection) async throws -> Void
    ) async throws {
        try await PostgresServer.withDatabase { parameters in
            try await SilentProxy.withProxy(to: parameters) { proxy in
                try await Connection.withConnection(to: parameters) { direct in
                    try await Connection.withConnection(to: proxy.parameters) { connection in
                        try await body(proxy, connection, direct)
                    }
                }
            }
        }
    }

    /// Expects that a connection cannot be used any more, and says why.
    private func expectClosed(_ connection: Connection, sourceLocation: SourceLocation = #_sourceLocation) async {
        let error = await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) {
            try await connection.query("select 1")
        }
        #expect(error?.code == .connectionUnavailable, sourceLocation: sourceLocation)
        #expect(error?.message.contains("did not stop a cancelled query") == true, sourceLocation: sourceLocation)
    }

    @Test("A cancelled query ends although nothing comes through in either direction")
    func query() async throws {
        try await withConnections { proxy, connection, direct in
            let task = Task { try await connection.query("select pg_sleep(600)") }
            try await waitUntilActive(connection, seenBy: direct)
            proxy.become(.swallowing)
            try await expectCancelled(task)
            await expectClosed(connection)
        }
    }

    @Test("A cancelled query ends although the request to cancel it is never answered")
    func lostRequest() async throws {
        try await withConnections { proxy, connection, direct in
            let task = Task { try await connection.query("select pg_sleep(600)") }
            try await waitUntilActive(connection, seenBy: direct)
            proxy.become(.losingRequests)
            try await expectCancelled(task)
            await expectClosed(connection)
        }
    }

    @Test("A query that ends by itself does not wait for a request to cancel it, and the next one is not hit by it")
    func endsByItself() async throws {
        try await withConnections { proxy, connection, direct in
            try await direct.execute("select pg_advisory_lock(1)")
            let task = Task { try await connection.query("select 1 from pg_advisory_lock(1)") }
            try await waitUntilBlocked(connection, seenBy: direct)
            proxy.become(.losingRequests)
            task.cancel()
            try await direct.execute("select pg_advisory_unlock(1)")
            #expect(try await task.value.rows.count == 1)
            await expectClosed(connection)
        }
    }

    @Test("Reading rows ends when its task is cancelled, in the middle of a silent COPY", arguments: [true, false])
    func copyOut(isStalled: Bool) async throws {
        try await withConnections { proxy, connection, _ in
            let rows = try await connection.copyOut(
                "copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout csv header"
            )
            let (chunks, progress) = AsyncStream.makeStream(of: Int.self)
            let task = Task {
                for try await chunk in rows { progress.yield(chunk.rows) }
            }
            var iterator = chunks.makeAsyncIterator()
            _ = await iterator.next()
            proxy.become(isStalled ? .stalled : .swallowing)
            try await expectCancelled(task)
        }
    }

    @Test("Sending rows ends when its task is cancelled, while the server waits for a lock and the request is lost")
    func copyInBlocked() async throws {
        try await withConnections { proxy, connection, direct in
            try await direct.execute(
                """
                create table t (a text);
                create function wait() returns trigger language plpgsql as
                    'begin perform pg_advisory_xact_lock_shared(1); return new; end';
                create trigger wait before insert on t for each row execute function wait();
                select pg_advisory_lock(1);
                """
            )
            let row = Array(repeating: UInt8(ascii: "x"), count: 99_999) + [10]
            let task = Task {
                try await connection.copyIn(
                    "copy t from stdin csv",
                    from: ByteChunks(bytes: [row], repeatsLast: true)
                )
            }
            try await waitUntilBlocked(connection, seenBy: direct)
            proxy.become(.losingRequests)
            try await expectCancelled(task)
            await expectClosed(connection)
            try await direct.execute("select pg_advisory_unlock(1)")
            #expect(try await direct.query("select from t").rows.isEmpty)
        }
    }

    @Test("Sending rows ends when its task is cancelled and the server is gone without a word")
    func copyInGone() async throws {
        try await withConnections { proxy, connection, direct in
            try await direct.execute("create table t (a text)")
            let (chunks, progress) = AsyncStream.makeStream(of: Int.self)
            let bytes = ByteChunks(bytes: [[10]], repeatsLast: true) { _ in progress.yield(0) }
            let task = Task { try await connection.copyIn("copy t from stdin csv", from: bytes) }
            var iterator = chunks.makeAsyncIterator()
            _ = await iterator.next()
            proxy.become(.stalled)
            try await expectCancelled(task)
            await expectClosed(connection)
        }
    }

    @Test("A transaction whose task is cancelled ends without its rollback when the server is gone")
    func rollback() async throws {
        try await withConnections { proxy, connection, direct in
            try await direct.execute("create table t (a text)")
            let (steps, progress) = AsyncStream.makeStream(of: Int.self)
            let task = Task {
                try await connection.withTransaction { transaction in
                    try await transaction.execute("insert into t values ('a')")
                    proxy.become(.swallowing)
                    progress.yield(0)
                    // Cancelled, whenever that happens.
                    try await Task.sleep(for: .seconds(600))
                }
            }
            var iterator = steps.makeAsyncIterator()
            _ = await iterator.next()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
        }
    }

    @Test("Bytes that nobody acknowledges end a connection, unless the user has set a limit of his own")
    func userTimeout() async throws {
        let server = PostgresServer.overTCP(try await PostgresServer.shared.superuser)
        for (given, expected) in [(nil, Int32(120_000)), ("7000", 7000)] {
            var parameters = server
            parameters.keywords["tcp_user_timeout"] = given
            try await Connection.withConnection(to: parameters) { connection in
                #expect(await connection.userTimeout == expected)
                try await connection.execute("create temporary table t (a text)")
                let during = Mutex<Int32?>(nil)
                let bytes = ByteChunks(["a\n"]) { _ in
                    let value = await connection.userTimeout
                    during.withLock { $0 = value }
                }
                _ = try await connection.copyIn("copy t from stdin", from: bytes)
                // A server that waits for a lock in the middle of a COPY does not read, and is not gone.
                #expect(during.withLock { $0 } == (given == nil ? 0 : expected))
                #expect(await connection.userTimeout == expected)
            }
        }
    }
}

extension Connection {
    /// The socket's TCP_USER_TIMEOUT in milliseconds.
    fileprivate var userTimeout: Int32 {
        var value: Int32 = -1
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard let handle = unsafe handle else { return -1 }
        _ = unsafe getsockopt(PQsocket(handle), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, &size)
        return value
    }
}
