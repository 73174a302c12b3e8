import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Transactions")
struct TransactionTests {
    struct Refusal: Error {}

    @Test("A transaction is committed when its closure returns")
    func commits() async throws {
        try await withTables("create table t (i int)") { connection in
            let result = try await connection.withTransaction { transaction in
                try await transaction.execute("insert into t values (1)")
                return 7
            }
            #expect(result == 7)
            try await connection.execute("rollback")
            #expect(try await connection.query("select from t").rows.count == 1)
        }
    }

    @Test("A transaction is rolled back when its closure throws")
    func rollsBackOnThrow() async throws {
        try await withTables("create table t (i int)") { connection in
            await #expect(throws: Refusal.self) {
                try await connection.withTransaction { transaction in
                    try await transaction.execute("insert into t values (1)")
                    throw Refusal()
                }
            }
            let result = try await connection.query("select from t")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A transaction is rolled back when the task is cancelled, even if its closure returns")
    func rollsBackOnCancel() async throws {
        try await withTables("create table t (i int)") { connection in
            let task = Task {
                try await connection.withTransaction { transaction in
                    try await transaction.execute("insert into t values (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            let result = try await connection.query("select from t")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A transaction whose failed statement was ignored is not reported as committed")
    func noticesOverlookedFailure() async throws {
        try await withTables("create table t (i int)") { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { transaction in
                    try await transaction.execute("insert into t values (1)")
                    _ = try? await transaction.execute("select 1 / 0")
                }
            }
            #expect(error?.code == .transactionAborted)
            let result = try await connection.query("select from t")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A deferred constraint fails the commit with the server's error")
    func reportsFailedCommit() async throws {
        let tables = """
            create table parent (id int primary key);
            create table child (id int references parent deferrable initially deferred)
            """
        try await withTables(tables) { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { try await $0.execute("insert into child values (1)") }
            }
            #expect(error?.sqlState == "23503")
            let result = try await connection.query("select from child")
            #expect(result.rows.isEmpty)
        }
    }

    @Test("A transaction inside another one is refused, and so is one that was ended inside")
    func refusesNesting() async throws {
        try await withTables("create table t (i int)") { connection in
            let nested = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { try await $0.withTransaction { _ in } }
            }
            #expect(nested?.code == .connectionUnavailable)
            let ended = await #expect(throws: PostgresError.self) {
                try await connection.withTransaction { try await $0.execute("commit") }
            }
            #expect(ended?.code == .transactionAborted)
            try await connection.withTransaction { try await $0.execute("insert into t values (1)") }
        }
    }

    @Test(
        "The options reach the server",
        arguments: [
            (TransactionOptions(), "read committed", "off", "off"),
            (TransactionOptions(isolation: .repeatableRead, readOnly: true), "repeatable read", "on", "off"),
            (
                TransactionOptions(isolation: .serializable, readOnly: true, deferrable: true), "serializable", "on",
                "on"
            ),
            (TransactionOptions(isolation: .readCommitted, readOnly: false), "read committed", "off", "off"),
        ]
    )
    func usesOptions(options: TransactionOptions, isolation: String, readOnly: String, deferrable: String) async throws
    {
        try await withSharedConnection { connection in
            let row = try await connection.withTransaction(options) { transaction in
                try await transaction.query(
                    """
                    select current_setting('transaction_isolation'), current_setting('transaction_read_only'),
                        current_setting('transaction_deferrable')
                    """
                ).rows[0]
            }
            #expect([row[0], row[1], row[2]] == [isolation, readOnly, deferrable])
        }
    }

    @Test("Settings are pinned until the transaction ends, and unknown ones are skipped")
    func pinsSettings() async throws {
        let odd = """
            set datestyle = 'German'; set intervalstyle = 'sql_standard'; set timezone = 'Asia/Tokyo';
            set bytea_output = 'escape'; set extra_float_digits = -5; set statement_timeout = '1h';
            set client_min_messages = 'debug1'; set xmloption = 'document'; set row_security = on;
            set array_nulls = off
            """
        let query = """
            select timestamptz '2024-01-02 03:04:05.678+00', interval '1 day 2 hours', '\\xff'::bytea, 0.1::float4,
                current_setting('statement_timeout'), current_setting('row_security'),
                current_setting('idle_in_transaction_session_timeout'), current_setting('search_path'),
                current_setting('xmloption'), current_setting('synchronize_seqscans'), current_setting('array_nulls'),
                current_setting('lc_monetary')
            """
        try await withTables("create schema odd; set search_path = odd; \(odd)") { connection in
            let outside = try await connection.query(query).rows[0]
            for (purpose, xmlOption) in [(Connection.Purpose.backup, "document"), (.restore, "content")] {
                let row = try await connection.withTransaction { transaction in
                    try await transaction.pinSessionSettings(
                        purpose,
                        overrides: ["idle_in_transaction_session_timeout": "60s", "no_such_setting": "1"]
                    )
                    return try await transaction.query(query).rows[0]
                }
                #expect(
                    (0..<12).map { row[$0] } == [
                        "2024-01-02 12:04:05.678+09", "1 day 02:00:00", "\\xff", "0.1", "0", "off", "1min", "odd",
                        xmlOption, "off", "on", "C",
                    ]
                )
            }
            let after = try await connection.query(query).rows[0]
            #expect((0..<12).map { after[$0] } == (0..<12).map { outside[$0] })
            let error = await #expect(throws: PostgresError.self) { try await connection.pinSessionSettings(.backup) }
            #expect(error?.code == .connectionUnavailable)
        }
    }

    @Test("Settings of the options hold before the transaction has a snapshot, and end with it")
    func beginsWithSettings() async throws {
        try await withTables("create table t (i int); set lock_timeout = '1h'; set application_name = 'a'") {
            connection in
            let options = TransactionOptions(
                isolation: .repeatableRead,
                settings: ["lock_timeout": "0", "application_name": "it's"]
            )
            try await connection.withTransaction(options) { transaction in
                let (limit, name) = ("show lock_timeout", "show application_name")
                let values = try await [transaction.query(limit).rows[0][0], transaction.query(name).rows[0][0]]
                #expect(values == ["0", "it's"])
            }
            let refused = TransactionOptions(settings: ["no_such_setting": "1"])
            await #expect(throws: PostgresError.self) { try await connection.withTransaction(refused) { _ in } }
            // The refused transaction was rolled back.
            let rows = try await connection.withTransaction { try await $0.query("show lock_timeout").rows }
            #expect(rows.first?[0] == "1h")
        }
    }

    @Test("Pinning cannot be hijacked by functions and operators on the search path")
    func pinsSafely() async throws {
        let hijack = """
            create schema evil;
            create function evil.hijacked(text, text) returns bool language plpgsql as $$ begin raise 'hijacked'; end $$;
            create operator evil.= (leftarg = text, rightarg = text, function = evil.hijacked);
            create function evil.lower(text) returns text language plpgsql as $$ begin raise 'hijacked'; end $$;
            set search_path = evil, pg_catalog
            """
        try await withTables(hijack) { connection in
            try await connection.withTransaction { transaction in
                try await transaction.pinSessionSettings(.restore)
                #expect(try await transaction.query("show row_security").rows[0][0] == "off")
            }
        }
    }
}
