import Postgres

/// Reads a ``ColumnCatalog``: six queries, whatever the number of tables.
struct ColumnCatalogReader {
    let connection: Connection

    /// Reads what masks must know, in the transaction that the catalog was read in.
    ///
    /// - Throws: `PostgresError`.
    func read() async throws -> ColumnCatalog {
        // With many tables the server would compile each query for seconds.
        try await connection.withDiscardedSavepoint("column_catalog", settings: ["jit": "off"]) {
            try await connection.withEmptySearchPath {
                ColumnCatalog(
                    columns: try await readColumns(),
                    uniqueIndexes: try await readIndexes(),
                    links: try await readLinks(),
                    checks: try await readChecks()
                )
            }
        }
    }

    /// Reads types, those below domains.
    ///
    /// - Parameter oids: Of columns of a query's result.
    /// - Returns: By their OIDs.
    /// - Throws: `PostgresError`.
    func types(of oids: [UInt32]) async throws -> [UInt32: ColumnType] {
        try await connection.withEmptySearchPath { try await readTypes(of: oids).mapValues(\.type) }
    }

    /// What the type of a column says about it.
    private struct DeclaredType {
        /// The one below the domains.
        let type: ColumnType
        /// A domain refuses nulls.
        let isNotNull: Bool
        let domain: String?
    }

    private func readTypes(of oids: [UInt32]) async throws -> [UInt32: DeclaredType] {
        let labels = try await readLabels()
        var types: [UInt32: DeclaredType] = [:]
        for row in try await connection.query(Self.typesQuery, [oids.arrayLiteral]).rows {
            guard let oid = row["oid"].flatMap(UInt32.init) else { continue }
            types[oid] = DeclaredType(
                type: row.columnType(labels),
                isNotNull: row["not_null"] == "t",
                domain: row["domain"]
            )
        }
        return types
    }

    private func readLabels() async throws -> [String: [String]] {
        var labels: [String: [String]] = [:]
        for row in try await connection.query(Self.labelsQuery).rows {
            guard let type = row["type"], let label = row["label"] else { continue }
            labels[type, default: []].append(label)
        }
        return labels
    }

    private func readColumns() async throws -> [Relation.OID: [ColumnFacts]] {
        let rows = try await connection.query(Self.columnsQuery).rows
        let types = try await readTypes(of: Set(rows.compactMap { $0[8].flatMap(UInt32.init) }).sorted())
        var columns: [Relation.OID: [ColumnFacts]] = [:]
        for row in rows {
            // By their places: there may be very many.
            guard let relation = row[0].flatMap(Relation.OID.init), let number = row[1].flatMap({ Int($0) }),
                let name = row[2], let declared = row[8].flatMap(UInt32.init).flatMap({ types[$0] })
            else { continue }
            let modifier = row[9].flatMap { Int($0) } ?? -1
            columns[relation, default: []].append(
                ColumnFacts(
                    number: number,
                    name: name,
                    type: modifier >= 0 ? declared.type.with(modifier) : declared.type,
                    isNotNull: row[3] == "t" || declared.isNotNull,
                    isGenerated: row[4] == "t",
                    isIdentity: row[5] == "t",
                    ownsSequence: row[6] == "t",
                    isPartitionKey: row[7] == "t",
                    domain: declared.domain,
                    comment: row[10]
                )
            )
        }
        return columns
    }

    private func readIndexes() async throws -> [UniqueIndex] {
        try await connection.query(Self.indexesQuery).rows.compactMap { row in
            guard let relation = row.relation("relation"), let name = row["name"] else { return nil }
            return UniqueIndex(
                name: name,
                relation: relation,
                columns: row.numbers("columns"),
                isPlain: row["plain"] == "t",
                isPrimary: row["is_primary"] == "t",
                nullsAreEqual: row["nulls_equal"] == "t"
            )
        }
    }

    private func readLinks() async throws -> [ColumnLink] {
        try await connection.query(Self.linksQuery).rows.compactMap { row in
            guard let from = row.relation("from_relation"), let to = row.relation("to_relation") else { return nil }
            return ColumnLink(
                from: ColumnCatalog.ID(relation: from, number: row.number("from_number")),
                to: ColumnCatalog.ID(relation: to, number: row.number("to_number")),
                key: row["key"]
            )
        }
    }

    private func readChecks() async throws -> [CheckConstraint] {
        try await connection.query(Self.checksQuery).rows.compactMap { row in
            guard let relation = row.relation("relation"), let name = row["name"], let expression = row["expression"]
            else { return nil }
            return CheckConstraint(
                name: name,
                relation: relation,
                columns: row.numbers("columns"),
                expression: expression
            )
        }
    }
}

extension ColumnType {
    /// The same type with the modifier of a column.
    fileprivate func with(_ modifier: Int) -> ColumnType {
        ColumnType(
            name: name,
            qualified: qualified,
            kind: kind,
            modifier: modifier,
            labels: labels,
            element: element
        )
    }
}

extension QueryResult.Row {
    fileprivate func relation(_ column: String) -> Relation.OID? { self[column].flatMap(Relation.OID.init) }

    fileprivate func number(_ column: String) -> Int { self[column].flatMap { Int($0) } ?? 0 }

    /// Numbers with spaces between them.
    fileprivate func numbers(_ column: String) -> [Int] {
        (self[column] ?? "").utf8.split(separator: UInt8(ascii: " ")).compactMap {
            Int(String(decoding: $0, as: UTF8.self))
        }
    }

    fileprivate func columnType(_ labels: [String: [String]]) -> ColumnType {
        let kind = self["kind"].flatMap(ColumnType.Kind.init) ?? .base
        var type = ColumnType(
            name: self["type"] ?? "",
            qualified: self["qualified"] ?? "",
            kind: kind,
            modifier: number("modifier"),
            labels: self["type_oid"].flatMap { labels[$0] } ?? []
        )
        if let element = self["element"] {
            type.element = ColumnType.Element(
                name: element,
                qualified: self["element_qualified"] ?? "",
                kind: self["element_kind"].flatMap(ColumnType.Kind.init) ?? .base,
                labels: self["element_oid"].flatMap { labels[$0] } ?? []
            )
        }
        return type
    }
}
