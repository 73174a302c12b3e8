import DatabudgieTestSupport
import Postgres
import Testing

@Suite("Values of rows in errors")
struct RowValueTests {
    private static let tables = """
        create table parents (id int primary key);
        create type mood as enum ('happy');
        create function refuse() returns trigger language plpgsql as
            'begin execute ''select '' || new.n || '' from s3cret_table''; return new; end';
        create table refused (n text);
        create trigger refuse before insert on refused for each row execute function refuse();
        create table t (
            id int primary key, parent int references parents, email text unique, small varchar(3), price numeric(4, 2),
            at timestamptz, mood mood, doc jsonb, list int[], span int4range, required text not null default '',
            constraint positive check (id >= 0), exclude using gist (span with &&)
        )
        """

    @Test(
        "What the server says of a row is repeated without the row's values",
        arguments: [
            (
                "id", "s3cret",
                "invalid input syntax for type integer: \"…\" (SQLSTATE 22P02); context: COPY t, line 3, column id"
            ),
            (
                "id", "77777777777",
                "value \"…\" is out of range for type integer (SQLSTATE 22003); context: COPY t, line 3, column id"
            ),
            (
                "at", "2024-77-77",
                "date/time field value out of range: \"…\" (SQLSTATE 22008); context: COPY t, line 3, column at"
            ),
            (
                "mood", "s3cret",
                "invalid input value for enum mood: \"…\" (SQLSTATE 22P02); context: COPY t, line 3, column mood"
            ),
            (
                "doc", #"s3cret "a"#,
                "invalid input syntax for type json (SQLSTATE 22P02); context: JSON data, line 1; COPY t, line 3, column doc"
            ),
            (
                "list", "{7,s3cret}",
                "invalid input syntax for type integer: \"…\" (SQLSTATE 22P02); context: COPY t, line 3, column list"
            ),
            (
                "small", "s3cret",
                "value too long for type character varying(3) (SQLSTATE 22001); context: COPY t, line 3, column small"
            ),
            (
                "price", "7777",
                "numeric field overflow (SQLSTATE 22003); detail: A field with precision 4, scale 2 must round to an absolute value less than 10^2; context: COPY t, line 3, column price"
            ),
            (
                "email", "x\nCOPY s3cret",
                "duplicate key value violates unique constraint \"t_email_key\" (SQLSTATE 23505); detail: Key (email) already exists; context: COPY t, line 5"
            ),
            (
                "parent", "7777",
                "insert or update on table \"t\" violates foreign key constraint \"t_parent_fkey\" (SQLSTATE 23503); detail: Key (parent) is not present in table \"parents\""
            ),
            (
                "span", "[7,77)",
                "conflicting key value violates exclusion constraint \"t_span_excl\" (SQLSTATE 23P01); detail: Key (span); context: COPY t, line 3"
            ),
        ]
    )
    func copies(column: String, value: String, expected: String) async throws {
        try await withTables(Self.tables) { connection in
            let quoted = "\"" + value.replacing("\"", with: "\"\"") + "\""
            // Twice the same value, for what must be unique.
            let rows =
                column == "email" || column == "span" ? "5,\n7,\(quoted)\n8,\(quoted)\n" : "5,\n6,\n7,\(quoted)\n"
            let columns = column == "id" ? "required, id" : "id, \(column)"
            let bytes = column == "id" ? "a,1\nb,2\nc,\(quoted)\n" : rows
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyIn("copy t (\(columns)) from stdin csv", from: ByteChunks([bytes]))
            }
            #expect(error?.fullMessage == expected)
            for part in [error?.message, error?.detail, error?.context] {
                #expect(part?.contains("s3cret") != true && part?.contains("77") != true, "\(part ?? "")")
            }
        }
    }

    @Test("Neither are they repeated from constraints on one row, from functions, or from bytes that are no text")
    func others() async throws {
        try await withTables(Self.tables) { connection in
            for (table, bytes, expected) in [
                (
                    "t (id)", "-77\n",
                    "new row for relation \"t\" violates check constraint \"positive\" (SQLSTATE 23514)"
                ),
                (
                    "t (id, required)", "77,\n",
                    "null value in column \"required\" of relation \"t\" violates not-null constraint (SQLSTATE 23502)"
                ),
                (
                    "refused", "'s3cret'\n",
                    "relation \"s3cret_table\" does not exist (SQLSTATE 42P01); context: PL/pgSQL function refuse() line 1 at EXECUTE; COPY refused, line 1"
                ),
                (
                    "t (id, email)", "1,a,s3cret\n",
                    "extra data after last expected column (SQLSTATE 22P04); context: COPY t, line 1"
                ),
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.copyIn("copy \(table) from stdin csv", from: ByteChunks([bytes]))
                }
                #expect(error?.fullMessage.hasPrefix(expected) == true, "\(error?.fullMessage ?? "")")
                #expect(error?.detail == nil)
                #expect(error?.context?.contains("77") != true && error?.context?.contains("'s3cret'") != true)
            }
            let bytes = ByteChunks(bytes: [Array("1,s3cret".utf8) + [0xFF, 10]])
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyIn("copy t (id, email) from stdin csv", from: bytes)
            }
            #expect(
                error?.fullMessage
                    == "invalid byte sequence for encoding \"UTF8\" (SQLSTATE 22021); context: COPY t, line 1"
            )
        }
    }
}
