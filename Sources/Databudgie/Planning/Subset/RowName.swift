import Postgres

/// Rows that a user names: `public.orders:201`, `public.lines:100,1` by the primary key, `public.users.email:a@x` by a column.
struct RowName: Sendable {
    /// As it is written.
    let text: String
    let node: Int
    /// The columns that are compared, with their values.
    let columns: [Column]

    /// A column and the value that it has in the row.
    struct Column: Sendable {
        let name: String
        /// Its type, as SQL.
        let type: String
        /// The schema of the type's operator `=`.
        let equalitySchema: String
        let value: String
    }

    /// Reads a name; both sides of the colon may contain others.
    ///
    /// - Parameters:
    ///   - text: As it is written.
    ///   - graph: The tables of the subset.
    ///   - catalog: Of the same moment, with its keys.
    /// - Throws: ``DatabudgieError`` when it names no table of the run, or has another number of values than its key.
    init(_ text: String, in graph: SubsetGraph, _ catalog: DatabaseCatalog) throws(DatabudgieError) {
        self.text = text
        let bytes = text.utf8
        for colon in bytes.indices where bytes[colon] == UInt8(ascii: ":") {
            let name = String(decoding: bytes[..<colon], as: UTF8.self)
            let key = String(decoding: bytes[bytes.index(after: colon)...], as: UTF8.self)
            guard let (node, names) = Self.columns(name, graph, catalog) else { continue }
            self.node = node
            columns = try Self.columns(names, key, of: graph.nodes[node], catalog)
            return
        }
        guard bytes.contains(UInt8(ascii: ":")) else {
            throw DatabudgieError(
                .configuration,
                "'\(text)' does not name a row",
                hint: "write TABLE:KEY, for instance public.orders:201, or TABLE.COLUMN:VALUE"
            )
        }
        let name = String(decoding: bytes.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
        let pattern = TableSelection.pattern(for: name, in: catalog.defaultSchema)
        let nearest = KeySuggestion.nearest(to: pattern, among: graph.nodes.map(\.name.description))
        throw DatabudgieError(
            .configuration,
            "'\(name)' is neither a table of the run nor a column of one",
            hint: nearest.map { "did you mean '\($0)'?" }
        )
    }

    /// The table of a name, and the columns by which its rows are looked up: those of the primary key unless they are named.
    private static func columns(
        _ name: String,
        _ graph: SubsetGraph,
        _ catalog: DatabaseCatalog
    ) -> (node: Int, columns: [String])? {
        func node(_ table: String) -> Int? {
            let pattern = TableSelection.pattern(for: table, in: catalog.defaultSchema)
            return graph.nodes.firstIndex { $0.name.description.hasBytes(of: pattern) }
        }
        if let node = node(name) { return (node, graph.nodes[node].primaryKey.map(\.name)) }
        let reference = ReferenceName(name, in: catalog.defaultSchema)
        guard let table = reference.table, let columns = reference.columns, let node = node(table) else { return nil }
        let known = catalog[graph.nodes[node].relation]?.columns ?? []
        let areKnown = columns.allSatisfy { column in known.contains { $0.name.hasBytes(of: column) } }
        return areKnown ? (node, columns) : nil
    }

    private static func columns(
        _ names: [String],
        _ key: String,
        of node: SubsetGraph.Node,
        _ catalog: DatabaseCatalog
    ) throws(DatabudgieError) -> [Column] {
        guard !names.isEmpty else {
            throw DatabudgieError(
                .configuration,
                "it has no primary key",
                table: node.name.label,
                hint: "name a row by a column, for instance \(node.name.label).COLUMN:VALUE"
            )
        }
        // The value of one column is all of the text; several are written as in CSV.
        let values = names.count == 1 ? [key] : CSVHeader.parse(Array(key.utf8), isComplete: true)?.columns ?? []
        guard values.count == names.count else {
            throw DatabudgieError(
                .configuration,
                "the key has \(counted(names.count, "column")) (\(names.joined(separator: ", "))), not \(values.count)",
                table: node.name.label,
                hint: "write their values with commas between them, in double quotes where a value has a comma"
            )
        }
        let types = catalog.keys?.types[node.relation] ?? [:]
        return zip(names, values).map { name, value in
            let type = types[ByteKey(name)]
            return Column(
                name: name,
                type: type?.plainName ?? "pg_catalog.text",
                equalitySchema: type?.equalitySchema ?? "pg_catalog",
                value: value
            )
        }
    }
}

extension StepSQL {
    /// The rows of a name; its values are the parameters.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - limit: The most rows.
    /// - Returns: A SELECT of `tableoid` and `ctid` as text.
    func rows(of name: RowName, limit: Int) -> String {
        let node = graph.nodes[name.node]
        let conditions = name.columns.enumerated().map { number, column in
            "t.\(quotedIdentifier(column.name)) operator(\(quotedIdentifier(column.equalitySchema)).=) "
                + "$\(number + 1)::\(column.type)"
        }
        return """
            select t.tableoid::pg_catalog.text as o, t.ctid::pg_catalog.text as r
            from \(Self.from(node)) as t\(Self.filter(conditions))
            order by t.tableoid, t.ctid limit \(limit)
            """
    }
}
