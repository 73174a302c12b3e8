public import Postgres

/// The audit table of runs in a database: one row for each table that a backup or a restore has finished.
///
///     try await connection.execute(ManifestTable("public.databudgie_manifest").definition)
public struct ManifestTable: Sendable, Hashable, CustomStringConvertible {
    /// The table's name and schema, without quotes.
    public let name: QualifiedName

    /// - Parameter name: The table's name and schema, without quotes.
    public init(name: QualifiedName) {
        self.name = name
    }

    /// Reads a name as the key `manifest` has it.
    ///
    /// - Parameter text: `table` or `schema.table`, without quotes; without a schema it is `public`, as it was in
    ///   databudgie 2.9.3.
    /// - Throws: ``DatabudgieError`` with the code `configuration` for any other form.
    public init(_ text: String) throws(DatabudgieError) {
        // By bytes: a dot with a combining mark is still a dot to the server.
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count <= 2, !parts.contains(where: \.isEmpty) else {
            throw DatabudgieError(
                .configuration,
                "the manifest's name '\(text)' is not the name of a table",
                hint: "write table or schema.table, without quotes"
            )
        }
        name = QualifiedName(schema: parts.count == 2 ? parts[0] : "public", name: parts[parts.count - 1])
    }

    /// The name for people, `schema.table`.
    public var description: String { name.description }

    /// The SQL statements that create the table and its indexes.
    public var definition: String {
        """
        create table \(name.quoted) (
            id serial primary key,
            "transaction" integer not null,
            "action" pg_catalog.text not null,
            "table" pg_catalog.text not null,
            "file_path" pg_catalog.text not null,
            "timestamp" timestamp with time zone not null default current_timestamp
        );
        create index on \(name.quoted) ("transaction");
        create index on \(name.quoted) ("action");
        create index on \(name.quoted) ("table");
        """
    }
}
