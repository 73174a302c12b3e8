import Postgres

/// Compares tables as two databases have them.
struct TableComparison {
    let source: ComparedDatabase
    let target: ComparedDatabase
    var sides = ComparedSides.databases
    /// Rows that differ are named by their primary keys.
    var namesKeys = true
    /// Columns of other types are differences.
    var comparesTypes = true

    /// Compares a table.
    ///
    /// - Parameter name: The table that at least one of the databases has.
    /// - Returns: What differs.
    /// - Throws: `PostgresError`.
    func compare(_ name: QualifiedName) async throws -> ComparedTable {
        var table = ComparedTable(name: name.label)
        let (left, right) = (source.relations[name], target.relations[name])
        guard let left, let right else {
            if let left { table.sourceRows = try await source.hash(left, []).sum().rows }
            if let right { table.targetRows = try await target.hash(right, []).sum().rows }
            table.differences = ["it is only in the \(left == nil ? sides.target : sides.source)"]
            return table
        }
        let (types, otherTypes) = (source.types(of: left), target.types(of: right))
        table.differences = sides.columnDifferences(
            types,
            comparesTypes ? otherTypes : otherTypes.merging(types.filter { otherTypes[$0.key] != nil }) { $1 }
        )
        let common = types.keys.filter { otherTypes[$0] != nil }.sorted().map(\.string)
        let (hash, otherHash) = (source.hash(left, common), target.hash(right, common))
        async let first = hash.sum()
        async let second = otherHash.sum()
        let (sum, otherSum) = (try await first, try await second)
        (table.sourceRows, table.targetRows) = (sum.rows, otherSum.rows)
        if let difference = sides.rowDifference(sum, otherSum) {
            table.differences.append(difference)
            if namesKeys { table.keys = try await hash.differences(from: otherHash, limit: Comparison.namedKeys) }
        }
        let (values, otherValues) = (source.sequenceValues(of: left), target.sequenceValues(of: right))
        table.differences += values.keys.sorted().compactMap { name in
            guard let state = values[name], let other = otherValues[name] else { return nil }
            return sides.sequenceDifference(name.description, state, other)
        }
        return table
    }
}

/// What the two sides of a comparison are called, and what is said of their differences.
struct ComparedSides: Sendable {
    let source: String
    let target: String

    static let databases = ComparedSides(source: "source", target: "target")
    static let set = ComparedSides(source: "set", target: "target")

    /// What is said of columns.
    ///
    /// - Parameters:
    ///   - types: The columns of the source with their types.
    ///   - others: Those of the target.
    /// - Returns: A sentence for each column that differs.
    func columnDifferences(_ types: [ByteKey: String], _ others: [ByteKey: String]) -> [String] {
        Set(types.keys).union(others.keys).sorted().compactMap { name in
            switch (types[name], others[name]) {
            case (let type?, let other?):
                type.hasBytes(of: other)
                    ? nil : "the column \(name.string) is \(type) in the \(source) and \(other) in the \(target)"
            case (_?, nil): "the column \(name.string) is only in the \(source)"
            case (nil, _): "the column \(name.string) is only in the \(target)"
            }
        }
    }

    /// What is said of rows; nil when they are the same.
    func rowDifference(_ sum: RowHash.Sum, _ other: RowHash.Sum) -> String? {
        guard sum != other else { return nil }
        return sum.rows == other.rows
            ? "rows have other values" : "the \(source) has \(counted(sum.rows, "row")), the \(target) \(other.rows)"
    }

    /// What is said of the values of a sequence; nil when they are the same.
    func sequenceDifference(_ name: String, _ state: SequenceState, _ other: SequenceState) -> String? {
        guard state != other else { return nil }
        return "the sequence \(name) is at \(state.sentence) in the \(source) and at \(other.sentence) in the \(target)"
    }
}

extension SequenceState {
    fileprivate var sentence: String { isCalled ? "\(lastValue)" : "\(lastValue) (not used yet)" }
}
