import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Cancellation")
struct CancellationTests {
    @Test("A cancelled task ends its query within a second, and the connection remains usable")
    func cancelsQuery() async throws {
        try await withSharedConnection { connection in
            try await withSharedConnection { observer in
                let task = Task { try await connection.query("select pg_sleep(60)") }
                try await waitUntilActive(connection, seenBy: observer)
                try await expectCancelled(task)
                #expect(try await connection.query("select 1").rows[0][0] == "1")
            }
        }
    }

    @Test("Cancelling from outside does the same")
    func cancelsFromOutside() async throws {
        try await withSharedConnection { connection in
            try await withSharedConnection { observer in
                connection.cancel()
                let task = Task { try await connection.execute("select pg_sleep(60)") }
                try await waitUntilActive(connection, seenBy: observer)
                connection.cancel()
                let error = await #expect(throws: PostgresError.self) { try await task.value }
                #expect(error?.code == .cancelled)
                #expect(try await connection.query("select 1").rows[0][0] == "1")
            }
        }
    }

    @Test("A task that was cancelled before sends nothing")
    func sendsNothingWhenCancelled() async throws {
        try await withTables("create table t (i int)") { connection in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.execute("insert into t values (1)")
            }
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            let result = try await connection.query("select from t")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A timeout of the server is an error of the server, not a cancellation")
    func tellsTimeoutFromCancellation() async throws {
        try await withSharedConnection { connection in
            try await connection.execute("set statement_timeout = '20ms'")
            let error = await #expect(throws: PostgresError.self) { try await connection.query("select pg_sleep(60)") }
            #expect(error?.code == .serverError)
            #expect(error?.sqlState == "57014")
        }
    }

    @Test("Many waiting connections leave room for others, and for their cancellation")
    func blocksNobodyElse() async throws {
        try await withSharedConnection { observer in
            let tasks = (0..<20).map { _ in
                Task { try await withSharedConnection { _ = try await $0.query("select pg_sleep(600), 'crowd'") } }
            }
            let sql = "select from pg_stat_activity where query like '%''crowd''' and state = 'active'"
            let deadline = ContinuousClock.now + .seconds(120)
            while try await observer.query(sql).rows.count < tasks.count {
                // One that could not connect would be waited for without end.
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(5))
            }
            try await withSharedConnection { another in
                let row = try await another.query("select 1").rows[0]
                #expect(row[0] == "1")
            }
            for task in tasks {
                try await expectCancelled(task)
            }
        }
    }

    @Test("Cancelling at any moment never hits the statement after it")
    func neverHitsTheNext() async throws {
        try await withSharedConnection { connection in
            for round in 0..<200 {
                let task = Task { try await connection.query("select pg_sleep(0.001)") }
                if round.isMultiple(of: 2) { await Task.yield() }
                task.cancel()
                _ = await task.result
                let result = try await connection.query("select count(*) from pg_class")
                #expect(result.rows.count == 1)
            }
        }
    }

    @Test("A query that waits for a lock is cancelled, and its transaction is rolled back")
    func cancelsLockWait() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { holder in
                try await Connection.withConnection(to: parameters) { waiter in
                    try await holder.execute("create table t (i int)")
                    try await holder.execute("begin; lock table t")
                    let task = Task {
                        try await waiter.withTransaction { transaction in
                            try await transaction.execute("create table u (i int)")
                            try await transaction.execute("insert into t values (1)")
                        }
                    }
                    try await waitUntilBlocked(waiter, seenBy: holder)
                    try await expectCancelled(task)
                    #expect(try await waiter.query("select to_regclass('u')").rows[0][0] == nil)
                }
            }
        }
    }
}

/// Cancels a task and expects it to end with the one error of cancellation soon.
func expectCancelled<R: Sendable>(
    _ task: Task<R, any Error>,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    task.cancel()
    let error = await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) { try await task.value }
    #expect(error?.code == .cancelled, sourceLocation: sourceLocation)
    #expect(clock.now - start < .seconds(30), sourceLocation: sourceLocation)
}
