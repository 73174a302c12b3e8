import Postgres

/// The rows of a subset of one table as COPY writes them: one statement a batch, the first with the header.
struct SubsetCopy: AsyncSequence, Sendable {
    typealias Element = RowChunk

    let connection: Connection
    let statements: StepSQL
    let columns: [ExportColumn]
    /// What the columns' expressions need besides the table, in the FROM clause.
    let joins: String
    /// The table itself, as SQL, of which no row is read, when no part has any.
    let table: String
    let parts: [SubsetResult.Part]

    /// The rows of a statement; about 0.3 MB of text.
    private static let batchSize = 25_000

    func makeAsyncIterator() -> Iterator { Iterator(copy: self) }

    /// Reads one statement after the other.
    struct Iterator: AsyncIteratorProtocol {
        private let copy: SubsetCopy
        private var part = 0
        private var rows: RowSet.Iterator?
        private var current: CopyOut.AsyncIterator?
        private var isFirst = true

        fileprivate init(copy: SubsetCopy) {
            self.copy = copy
            rows = copy.parts.first?.rows.makeIterator()
        }

        mutating func next() async throws -> RowChunk? {
            while true {
                if var reader = current {
                    let chunk = try await reader.next(isolation: #isolation)
                    current = chunk == nil ? nil : reader
                    if let chunk { return chunk }
                }
                guard try await begin() else { return nil }
            }
        }

        /// Begins the next statement.
        private mutating func begin() async throws -> Bool {
            while part < copy.parts.count {
                var batch: [RowPlace] = []
                while batch.count < SubsetCopy.batchSize, let row = rows?.next() { batch.append(row) }
                guard batch.isEmpty else {
                    let part = copy.parts[part]
                    let statement = copy.statements.export(
                        copy.columns,
                        from: part.leaf,
                        of: part.node,
                        nulls: part.nulls,
                        arrays: part.arrays.map(\.column),
                        joins: copy.joins
                    )
                    for (number, array) in part.arrays.enumerated() { try await set(array.elements, number, batch) }
                    try await read(statement, batch)
                    return true
                }
                part += 1
                rows = part < copy.parts.count ? copy.parts[part].rows.makeIterator() : nil
            }
            guard isFirst else { return false }
            try await read(copy.statements.header(copy.columns, of: copy.table, joins: copy.joins), [])
            return true
        }

        /// Says which elements of an array are missing in the rows of a batch.
        private func set(_ elements: [RowPlace: Set<Int>], _ array: Int, _ batch: [RowPlace]) async throws {
            let missing = batch.flatMap { row in elements[row, default: []].sorted().map { (row: row, number: $0) } }
            let settings = StepSQL.elementSettings(of: array)
            _ = try await copy.connection.query(
                """
                select pg_catalog.set_config('\(settings.rows)', $1, true) is null,
                    pg_catalog.set_config('\(settings.numbers)', $2, true) is null
                """,
                [missing.map(\.row).arrayText, missing.map(\.number).arrayLiteral]
            )
        }

        private mutating func read(_ statement: String, _ batch: [RowPlace]) async throws {
            _ = try await copy.connection.query(
                "select pg_catalog.set_config('\(StepSQL.rowsSetting)', $1, true) is null",
                [batch.arrayText]
            )
            let rows = try await copy.connection.copyOut(
                "copy (\(statement)\n) to stdout with (format csv, header \(isFirst))",
                hasHeader: isFirst
            )
            current = rows.makeAsyncIterator()
            isFirst = false
        }
    }
}
