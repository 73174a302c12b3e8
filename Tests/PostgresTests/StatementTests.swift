import DatabudgieTestSupport
import Postgres
import Synchronization
import Testing

@Suite("Statements")
struct StatementTests {
    @Test("Rows are strings, with NULL distinct from the empty string")
    func returnsRows() async throws {
        try await withSharedConnection { connection in
            let result = try await connection.query(
                "select i, nullif(i, 2) as maybe, '' as empty, 'ü€🐘' as text from generate_series(1, 3) as i"
            )
            #expect(result.columns == ["i", "maybe", "empty", "text"])
            #expect(result.rows.count == 3)
            #expect(result.rows.map { $0["maybe"] } == ["1", nil, "3"])
            #expect(result.rows.last?[0] == "3")
            #expect(result.rows[1]["empty"] == "")
            #expect(result.rows[1]["text"] == "ü€🐘")
        }
    }

    @Test("Rows without columns are counted")
    func returnsRowsWithoutColumns() async throws {
        try await withSharedConnection { connection in
            let result = try await connection.query("select from generate_series(1, 3)")
            #expect(result.columns == [])
            #expect(result.rows.count == 3)
        }
    }

    @Test("Parameters are values, never SQL")
    func bindsParameters() async throws {
        try await withSharedConnection { connection in
            let text = "'; drop table x; -- \\ \n \" €"
            let row = try await connection.query("select $1::text, $2::int + 1, $3::text", [text, "41", nil]).rows[0]
            #expect(row[0] == text)
            #expect(row[1] == "42")
            #expect(row[2] == nil)
        }
    }

    @Test("Two statements are refused if one is expected, and neither runs")
    func refusesTwoStatements() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                let sql = "create table a (i int); create table b (i int)"
                for attempt in [
                    { _ = try await connection.query(sql) },
                    { _ = try await connection.describe("select 1; drop table c") },
                    { _ = try await connection.copyOut("copy (select 1) to stdout; \(sql)") },
                    { _ = try await connection.copyIn("copy c from stdin; \(sql)", from: ByteChunks([])) },
                ] as [() async throws -> Void] {
                    let error = await #expect(throws: PostgresError.self) { try await attempt() }
                    #expect(error?.sqlState == "42601")
                }
                let tables = try await connection.query("select from pg_tables where schemaname = 'public'")
                #expect(tables.rows.isEmpty)
                try await connection.execute(sql)
                let created = try await connection.query("select from pg_tables where schemaname = 'public'")
                #expect(created.rows.count == 2)
            }
        }
    }

    private static let serverHint = "; Perhaps you meant to reference the column \"t.i\""

    @Test("An error of the server has all its fields, and one line that joins them")
    func reportsServerErrors() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                try await connection.execute("create table public.t (i int constraint positive check (i > 0))")
                let check = await #expect(throws: PostgresError.self) {
                    try await connection.execute("insert into t values (-1)")
                }
                #expect(check?.code == .serverError)
                #expect(check?.sqlState == "23514")
                #expect(check?.schemaName == "public")
                #expect(check?.tableName == "t")
                #expect(check?.constraintName == "positive")
                // It would have the row's values.
                #expect(check?.detail == nil)
                #expect(
                    check?.description
                        == "new row for relation \"t\" violates check constraint \"positive\" (SQLSTATE 23514)"
                )

                let privilege = await #expect(throws: PostgresError.self) {
                    try await connection.execute("create view v as select * from t; drop table t")
                }
                #expect(
                    privilege?.fullMessage == """
                        cannot drop table t because other objects depend on it (SQLSTATE 2BP01); \
                        detail: view v depends on table t
                        """
                )

                let syntax = await #expect(throws: PostgresError.self) {
                    try await connection.query("select 1 frm x y")
                }
                #expect(syntax?.sqlState == "42601")
                #expect(syntax?.position == 14)

                let hint = await #expect(throws: PostgresError.self) { try await connection.query("select ii from t") }
                #expect(hint?.hint?.contains("t.i") == true)
                #expect(hint?.fullMessage == "column \"ii\" does not exist (SQLSTATE 42703)")
                #expect(hint?.description == "\(hint?.fullMessage ?? "")\(Self.serverHint)")

                let lines = await #expect(throws: PostgresError.self) {
                    try await connection.execute("do $$ begin raise e'a.\\nb.' using hint = e'c.\\nd.'; end $$")
                }
                #expect(lines?.message == "a.\nb.")
                #expect(lines?.fullMessage.hasPrefix("a.; b (SQLSTATE P0001); context: PL/pgSQL function") == true)
                #expect(lines?.description.hasSuffix("; c.; d") == true)

                let context = await #expect(throws: PostgresError.self) {
                    try await connection.execute("do $$ begin perform 1 / 0; end $$")
                }
                #expect(context?.context?.contains("PL/pgSQL function inline_code_block line 1") == true)
                #expect(context?.description.contains("\n") == false)
                #expect(try await connection.query("select 1").rows[0][0] == "1")
            }
        }
    }

    @Test("A statement is described without being run")
    func describes() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                try await connection.execute("create table t (a int, b text)")
                let columns = try await connection.describe("select b, a as x, 1.5 as y, a from t where 1 / a > 0")
                #expect(columns.map(\.name) == ["b", "x", "y", "a"])
                #expect(columns.map(\.typeOID) == [25, 23, 1700, 23])
                #expect(columns.map(\.columnNumber) == [2, 1, nil, 1])
                #expect(columns[2].tableOID == nil)
                #expect(columns[0].tableOID == columns[1].tableOID)
                #expect(try await connection.describe("delete from t").isEmpty)
                #expect(try await connection.describe("select").isEmpty)
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.describe("select * from nil")
                }
                #expect(error?.sqlState == "42P01")
                #expect(error?.position == 15)
            }
        }
    }

    @Test("A COPY in the wrong place is refused and leaves the connection usable")
    func refusesMisplacedCopy() async throws {
        try await withSharedConnection { connection in
            for attempt in [
                { _ = try await connection.query("copy (select 1) to stdout") },
                { _ = try await connection.execute("create temp table t (i int); copy t from stdin; select 1") },
                { _ = try await connection.copyOut("select 1") },
                { _ = try await connection.copyOut("create temp table u (i int)") },
                { _ = try await connection.copyOut("copy u from stdin") },
                { _ = try await connection.copyIn("copy (select 1) to stdout", from: ByteChunks([])) },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: PostgresError.self) { try await attempt() }
                #expect(error?.code == .protocolViolation)
                let result = try await connection.query("select 1")
                #expect(result.rows[0][0] == "1")
            }
        }
    }

    @Test("Notices go to the handler")
    func deliversNotices() async throws {
        let notices = Notices()
        let parameters = try await PostgresServer.shared.superuser
        try await Connection.withConnection(to: parameters, onNotice: { notices.append($0) }) { connection in
            try await connection.execute(
                """
                do $$ begin
                    raise notice 'first %', 1;
                    raise warning 'second' using detail = 'more', hint = 'do this';
                end $$
                """
            )
            #expect(notices.all.map(\.message) == ["first 1", "second"])
            #expect(notices.all.map(\.severity) == ["NOTICE", "WARNING"])
            #expect(notices.all.last?.detail == "more")
            #expect(notices.all.last?.hint == "do this")
            #expect(notices.all.last?.sqlState == "01000")
        }
    }

    @Test("A connection that the server ends is reported as lost, and stays so")
    func reportsLostConnection() async throws {
        let server = try await PostgresServer.shared
        try await Connection.withConnection(to: server.superuser) { connection in
            try await Connection.withConnection(to: server.superuser) { other in
                _ = try await other.query(
                    "select pg_terminate_backend($1::int, 5000)",
                    [String(connection.server.processID)]
                )
            }
            let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
            #expect(error?.code == .connectionLost)
            #expect(error?.description.hasPrefix("the connection to the server was lost: ") == true)
            #expect(error?.description.contains("\n") == false)
            let again = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
            #expect(again?.code == .connectionLost)
        }
    }
}
