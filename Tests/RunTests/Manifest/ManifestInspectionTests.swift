import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

@Suite("The manifest table")
struct ManifestInspectionTests {
    @Test("The table is created by its definition, which asks for nothing but the name")
    func definition() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                let table = ManifestTable(name: QualifiedName(schema: "public", name: "The \"M\""))
                #expect(try await ManifestInspection.find(table, over: connection)?.problems == nil)
                try await connection.execute(table.definition)
                #expect(try await ManifestInspection.find(table, over: connection)?.problems == [])
                let indexes = try await connection.query("select 1 from pg_indexes where schemaname = 'public'")
                #expect(indexes.rows.count == 4)
            }
        }
    }

    @Test(
        "A table with other types, columns and indexes is accepted, as a mixin of SQLAlchemy or a migration creates it"
    )
    func others() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                try await connection.execute(
                    """
                    create type verb as enum ('backup', 'restore');
                    create domain file_name as varchar(500);
                    create table m (
                        file_path file_name not null, action verb not null, "table" varchar not null,
                        transaction bigint not null, id uuid primary key default gen_random_uuid(),
                        host text not null default 'here', remark text, timestamp timestamp not null default now()
                    );
                    """
                )
                let table = try ManifestTable("m")
                #expect(try await ManifestInspection.find(table, over: connection)?.problems == [])
                let transaction = ManifestRun(
                    table: table,
                    kind: .restore,
                    id: 7,
                    recorded: RecordedTables(source: ""),
                    isDryRun: false,
                    rows: connection
                )
                try await transaction.record("public.\"é", path: "a/b", over: connection)
                let row = try await connection.query("select transaction, action, \"table\", file_path, host from m")
                    .rows.first
                #expect(row.map { row in (0..<5).map { row[$0] } } == ["7", "restore", "public.\"é", "a/b", "here"])
            }
        }
    }

    @Test("A table is refused with everything that is wrong with it")
    func misfit() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                try await connection.execute(
                    "create table m (transaction text, action int, file_path text, owner text not null)"
                )
                let problems = try await ManifestInspection.find(ManifestTable("m"), over: connection)?.problems
                #expect(
                    problems?.map(\.description) == [
                        "the column \"transaction\" of the manifest table public.m has the type text; change it to integer",
                        "the column \"action\" of the manifest table public.m has the type integer; change it to text",
                        "the manifest table public.m has no column \"table\"; add it",
                        "the column \"owner\" of the manifest table public.m is NOT NULL and has no default; "
                            + "give it a default",
                    ]
                )
            }
        }
    }

    @Test("A table is refused where the role lacks a privilege, also on its sequence")
    func rights() async throws {
        try await PostgresServer.withRole { role in
            try await PostgresServer.withDatabase { parameters in
                let table = try ManifestTable("m")
                func problems(_ grants: String) async throws -> [String] {
                    try await Connection.withConnection(to: parameters) { try await $0.execute(grants) }
                    var parameters = parameters
                    parameters.keywords["user"] = role
                    return try await Connection.withConnection(to: parameters) {
                        try await ManifestInspection.find(table, over: $0)?.problems.map(\.description) ?? ["missing"]
                    }
                }
                let first = try await problems(table.definition + "grant select on m to \(role)")
                #expect(first.count == 2)
                let grants = "; grant it USAGE on the schema, and SELECT and INSERT on the table"
                #expect(first.first?.hasSuffix(grants) == true)
                let second = try await problems("grant insert on m to \(role)")
                #expect(second.count == 1)
                #expect(second.first?.hasPrefix("the role lacks USAGE on the sequence of the column \"id\"") == true)
                #expect(try await problems("grant usage on sequence m_id_seq to \(role)") == [])
            }
        }
    }
}
