import Postgres

/// A hash of all rows of a table that does not depend on their order, computed by the server.
///
/// The text of each row is hashed (`hashtextextended`), and the hashes are summed, so that equal rows count as often as they
/// are there. The settings of an export make equal values equal texts on both servers.
struct RowHash: Sendable {
    /// The table as a query of its own server names it.
    let source: String
    /// The columns, in the same order on both sides.
    let columns: [String]
    /// The columns of the primary key; empty when there is none.
    let key: [String]
    let connection: Connection

    /// So many groups of keys are compared to find the rows that differ.
    private static let buckets = 4096
    /// Of so many groups the rows are looked at.
    private static let comparedBuckets = 8

    struct Sum: Sendable, Equatable {
        var rows: Int
        var hash: String
    }

    private var rowHash: String { "pg_catalog.hashtextextended(\(Self.row(columns))::pg_catalog.text, 0)" }
    private var bucket: String {
        "(pg_catalog.hashtextextended(\(Self.row(key))::pg_catalog.text, 1) & \(Self.buckets - 1))"
    }

    private static func row(_ columns: [String]) -> String {
        "row(" + columns.map(quotedIdentifier).joined(separator: ", ") + ")"
    }

    /// Counts and hashes all rows.
    ///
    /// - Throws: `PostgresError`.
    func sum() async throws -> Sum {
        let query = """
            select pg_catalog.count(*) as rows,
                coalesce(pg_catalog.sum(\(rowHash)::pg_catalog.numeric), 0)::pg_catalog.text as hash
            from \(source)
            """
        return Self.sum(try await connection.query(query).rows.first)
    }

    /// Finds rows that differ, by their primary keys.
    ///
    /// - Parameters:
    ///   - other: The same table on the other side.
    ///   - limit: The most keys that are wanted.
    /// - Returns: Keys in their order, those that only the other side has last; nothing without a primary key.
    /// - Throws: `PostgresError`.
    func differences(from other: RowHash, limit: Int) async throws -> [DifferingKey] {
        guard !key.isEmpty, key.count == other.key.count else { return [] }
        let (mine, others) = (try await bucketSums(), try await other.bucketSums())
        let differing = Set(mine.keys).union(others.keys).filter { mine[$0] != others[$0] }.sorted()
        let compared = Array(differing.prefix(Self.comparedBuckets))
        guard !compared.isEmpty else { return [] }
        let (rows, otherRows) = (try await hashes(in: compared), try await other.hashes(in: compared))
        let known = Dictionary(otherRows.map { (ByteKey($0.key), $0.hash) }, uniquingKeysWith: { first, _ in first })
        let found = Set(rows.map { ByteKey($0.key) })
        let own = rows.compactMap { row -> DifferingKey? in
            guard let hash = known[ByteKey(row.key)] else {
                return DifferingKey(key: row.key, difference: .onlyInSource)
            }
            return hash == row.hash ? nil : DifferingKey(key: row.key, difference: .different)
        }
        let foreign = otherRows.filter { !found.contains(ByteKey($0.key)) }.map {
            DifferingKey(key: $0.key, difference: .onlyInTarget)
        }
        return Array((own + foreign).prefix(limit))
    }

    private func bucketSums() async throws -> [Int: Sum] {
        let query = """
            select \(bucket) as bucket, pg_catalog.count(*) as rows,
                pg_catalog.sum(\(rowHash)::pg_catalog.numeric)::pg_catalog.text as hash
            from \(source) group by 1
            """
        return Dictionary(
            try await connection.query(query).rows.map { ($0["bucket"].flatMap(Int.init) ?? 0, Self.sum($0)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private func hashes(in buckets: [Int]) async throws -> [(key: String, hash: String)] {
        let query = """
            select \(Self.row(key))::pg_catalog.text as key, \(rowHash)::pg_catalog.text as hash
            from \(source) where \(bucket) operator(pg_catalog.=) any ($1::pg_catalog.int8[])
            order by \(key.map(quotedIdentifier).joined(separator: ", "))
            """
        return try await connection.query(query, [buckets.arrayLiteral]).rows.map {
            (key: $0["key"] ?? "", hash: $0["hash"] ?? "")
        }
    }

    private static func sum(_ row: QueryResult.Row?) -> Sum {
        Sum(rows: row?["rows"].flatMap(Int.init) ?? 0, hash: row?["hash"] ?? "0")
    }
}
