import Databudgie
import DatabudgieTestSupport

/// Tables that refer to one another by chance, with rows and a subset, and what that subset is by the rules alone.
///
/// There are cycles, references to themselves, keys of two columns, keys that are not primary, partitions, NULLs in one column
/// of two, and references without a constraint.
struct RandomReferences {
    struct Table {
        let number: Int
        /// The primary key has two columns.
        let isComposite: Bool
        let isPartitioned: Bool
        var rows: [Row] = []

        var name: String { "t\(number)" }
    }

    struct Row {
        /// The values of `k1`, `k2`, `u`, `v` and `o`.
        let values: [Int?]
        /// The values of the columns of each reference.
        var references: [Int: [Int?]] = [:]
    }

    struct Edge {
        let number: Int
        let child: Int
        let parent: Int
        /// The columns that are referred to, by their places among the values of a row.
        let target: [Int]
        let isConstraint: Bool
        let isNullable: Bool
        let isIndexed: Bool
        let follow: SubsetReference.Follow
        let limit: Int?
        let isFiltered: Bool

        /// The columns that refer.
        var columns: [String] { target.indices.map { "e\(number)_\($0)" } }
        /// Only the first one may be NULL when the reference is not nullable.
        func allowsNull(_ column: Int) -> Bool { isNullable || column > 0 }
    }

    /// A row of a table, by their numbers.
    struct Place: Hashable {
        let table: Int
        let row: Int
    }

    static let names = ["k1", "k2", "u", "v", "o"]

    let schema: String
    private(set) var tables: [Table]
    private(set) var edges: [Edge] = []
    let start: Int
    let includesChildren: Bool
    let whole: Set<Int>

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 7_919)
        schema = "s\(seed)"
        tables = (0..<Int.random(in: 2...5, using: &random)).map { number in
            Table(
                number: number,
                isComposite: Bool.random(using: &random),
                isPartitioned: Int.random(in: 0..<4, using: &random) == 0
            )
        }
        start = Int.random(in: tables.indices, using: &random)
        includesChildren = Int.random(in: 0..<6, using: &random) > 0
        whole = Int.random(in: 0..<4, using: &random) == 0 ? [Int.random(in: tables.indices, using: &random)] : []
        for number in 0..<Int.random(in: 1...7, using: &random) { edges.append(edge(number, &random)) }
        for table in tables.indices {
            for row in 0..<Int.random(in: 0...12, using: &random) {
                let key = [row + 1, tables[table].isComposite ? Int.random(in: 0...1, using: &random) : 0]
                let rest = [
                    Int.random(in: 0..<5, using: &random) == 0 ? nil : row * 3, Int.random(in: 0...4, using: &random),
                    Int.random(in: 0...3, using: &random),
                ]
                tables[table].rows.append(Row(values: key + rest))
            }
        }
        for edge in edges { refer(edge, &random) }
    }

    private func edge(_ number: Int, _ random: inout SeededGenerator) -> Edge {
        let (child, parent) = (
            Int.random(in: tables.indices, using: &random), Int.random(in: tables.indices, using: &random)
        )
        let isConstraint = Int.random(in: 0..<4, using: &random) > 0
        let referred = tables[parent]
        let usesOther = !referred.isPartitioned && Int.random(in: 0..<3, using: &random) == 0
        // A unique key of a partitioned table has its partition key in it, which is the first column.
        let key = referred.isComposite || referred.isPartitioned ? [0, 1] : [0]
        let words: [SubsetReference.Follow] = [.both, .both, .both, .parents, .through, .cut]
        let follow = words.randomElement(using: &random) ?? .both
        // What is cut must allow NULL.
        let isNullable = follow == .cut || Int.random(in: 0..<3, using: &random) > 0
        return Edge(
            number: number,
            child: child,
            parent: parent,
            target: !isConstraint ? [3] : usesOther ? [2] : key,
            isConstraint: isConstraint,
            isNullable: isNullable,
            isIndexed: Bool.random(using: &random),
            follow: follow,
            limit: follow == .both && Int.random(in: 0..<3, using: &random) == 0
                ? Int.random(in: 1...2, using: &random) : nil,
            isFiltered: follow == .both && Int.random(in: 0..<4, using: &random) == 0
        )
    }

    /// Gives each row of the child a value for a reference.
    private mutating func refer(_ edge: Edge, _ random: inout SeededGenerator) {
        let keys = tables[edge.parent].rows.map { row in edge.target.map { row.values[$0] } }.filter {
            !$0.contains(nil)
        }
        var kept: [Row] = []
        for var row in tables[edge.child].rows {
            var value = keys.randomElement(using: &random) ?? edge.target.map { _ in nil }
            if !edge.isConstraint, Int.random(in: 0..<6, using: &random) == 0 { value = [99] }
            if edge.isNullable, Int.random(in: 0..<4, using: &random) == 0 { value = edge.target.map { _ in nil } }
            if value.count == 2, Int.random(in: 0..<8, using: &random) == 0 { value[1] = nil }
            // Without a parent a column that must have a value has no row.
            if value[0] == nil, !edge.isNullable { continue }
            row.references[edge.number] = value
            kept.append(row)
        }
        // References that were given before may lead to a row that is gone; the last word is that of `repaired`.
        tables[edge.child].rows = kept
    }
}

extension RandomReferences {
    /// The same without rows that refer by a constraint to one that is not there.
    var repaired: RandomReferences {
        var copy = self
        var isChanged = true
        while isChanged {
            isChanged = false
            for edge in edges where edge.isConstraint {
                let keys = Set(copy.tables[edge.parent].rows.map { row in edge.target.map { row.values[$0] } })
                let kept = copy.tables[edge.child].rows.filter { row in
                    let value = row.references[edge.number] ?? []
                    return value.contains(nil) || keys.contains(value)
                }
                isChanged = isChanged || kept.count < copy.tables[edge.child].rows.count
                copy.tables[edge.child].rows = kept
            }
        }
        return copy
    }

    /// The tables, without rows and without foreign keys.
    var definition: String {
        let tables = tables.map { table in
            let references = edges.filter { $0.child == table.number }.flatMap { edge in
                edge.columns.enumerated().map { "\($1) int\(edge.allowsNull($0) ? "" : " not null")" }
            }
            let columns = ["k1 int not null", "k2 int not null", "u int", "v int", "o int"] + references
            let isPair = table.isComposite || table.isPartitioned
            let keys = ["primary key (\(isPair ? "k1, k2" : "k1"))"] + (table.isPartitioned ? [] : ["unique (u)"])
            let body = "(\((columns + keys).joined(separator: ", ")))"
            guard table.isPartitioned else { return "create table \(schema).\(table.name) \(body);" }
            let parts = (0..<2).map { part in
                "create table \(schema).\(table.name)_\(part) partition of \(schema).\(table.name) "
                    + "for values with (modulus 2, remainder \(part));"
            }
            return
                "create table \(schema).\(table.name) \(body) partition by hash (k1); \(parts.joined(separator: " "))"
        }
        let indexes = edges.filter(\.isIndexed).map {
            "create index on \(schema).\(self.tables[$0.child].name) (\($0.columns.joined(separator: ", ")));"
        }
        return (["create schema \(schema);"] + tables + indexes).joined(separator: "\n")
    }

    /// The rows, some of which are moved to other places.
    var content: String {
        tables.flatMap { table in
            table.rows.map { row in
                let references = edges.filter { $0.child == table.number }.flatMap { row.references[$0.number] ?? [] }
                let values = (row.values + references).map { $0.map(String.init) ?? "null" }
                return "insert into \(schema).\(table.name) values (\(values.joined(separator: ", ")));"
            } + ["update \(schema).\(table.name) set v = v where o = 1;"]
        }.joined(separator: "\n")
    }

    /// The foreign keys, which the server checks for the rows that are there.
    var constraints: String {
        edges.filter(\.isConstraint).map { edge in
            "alter table \(schema).\(tables[edge.child].name) add foreign key (\(edge.columns.joined(separator: ", "))) "
                + "references \(schema).\(tables[edge.parent].name) "
                + "(\(edge.target.map { Self.names[$0] }.joined(separator: ", ")));"
        }.joined(separator: "\n")
    }

    var settings: SubsetSettings {
        SubsetSettings(
            start: [SubsetStart("\(schema).\(tables[start].name)", where: "k1 % 3 = 1", allowsNone: true)],
            includesChildren: includesChildren,
            whole: whole.map { "\(schema).\(tables[$0].name)" },
            references: edges.map { edge in
                let table = "\(schema).\(tables[edge.child].name)"
                return SubsetReference(
                    edge.columns.count == 1
                        ? "\(table).\(edge.columns[0])" : "\(table)(\(edge.columns.joined(separator: ", ")))",
                    follow: edge.follow,
                    to: edge.isConstraint ? nil : "\(schema).\(tables[edge.parent].name).v",
                    children: edge.isFiltered ? "o <> 2 -- at the end" : nil,
                    limit: edge.limit,
                    order: edge.limit == nil ? nil : "o desc"
                )
            }
        )
    }
}

extension RandomReferences {
    private func isPair(_ edge: Edge, _ child: Row, _ parent: Row) -> Bool {
        let value = child.references[edge.number] ?? []
        return zip(value, edge.target).allSatisfy { $0 != nil && $0 == parent.values[$1] }
    }

    private func children(_ edge: Edge, of parent: Row) -> [Place] {
        let rows = tables[edge.child].rows
        let all = rows.indices.filter {
            isPair(edge, rows[$0], parent) && (!edge.isFiltered || rows[$0].values[4] != 2)
        }
        .sorted { first, second in
            let (left, right) = (rows[first].values, rows[second].values)
            return (-(left[4] ?? 0), left[0] ?? 0, left[1] ?? 0) < (-(right[4] ?? 0), right[0] ?? 0, right[1] ?? 0)
        }
        return all.prefix(edge.limit ?? .max).map { Place(table: edge.child, row: $0) }
    }

    /// The tables that no chain of references connects with the start, and those that are exported whole anyway.
    private var wholeTables: Set<Int> {
        var connected: Set = [start]
        for _ in tables {
            for edge in edges where connected.contains(edge.child) || connected.contains(edge.parent) {
                connected.formUnion([edge.child, edge.parent])
            }
        }
        return whole.union(tables.indices.filter { !connected.contains($0) })
    }

    /// The lines of each table's file, without their header and in any order.
    func expected() -> [[String]] {
        var (chosen, linked): (Set<Place>, Set<Place>) = ([], [])
        for (row, values) in tables[start].rows.enumerated() where (values.values[0] ?? 0) % 3 == 1 {
            chosen.insert(Place(table: start, row: row))
        }
        for table in wholeTables { linked.formUnion(tables[table].rows.indices.map { Place(table: table, row: $0) }) }
        var size = -1
        while size != chosen.count + linked.count {
            size = chosen.count + linked.count
            for edge in edges {
                for (number, parent) in tables[edge.parent].rows.enumerated() {
                    let place = Place(table: edge.parent, row: number)
                    if edge.follow == .both, chosen.contains(place) { chosen.formUnion(children(edge, of: parent)) }
                    guard edge.follow != .cut else { continue }
                    for (row, child) in tables[edge.child].rows.enumerated() where isPair(edge, child, parent) {
                        let referring = Place(table: edge.child, row: row)
                        if edge.follow == .through, chosen.contains(referring) { chosen.insert(place) }
                        if chosen.contains(referring) || linked.contains(referring) { linked.insert(place) }
                    }
                }
            }
        }
        let kept = chosen.union(linked)
        return tables.indices.map { table in
            tables[table].rows.indices.filter { kept.contains(Place(table: table, row: $0)) }.map {
                line(table, $0, kept)
            }
        }
    }

    private func line(_ table: Int, _ number: Int, _ kept: Set<Place>) -> String {
        let row = tables[table].rows[number]
        let references = edges.filter { $0.child == table }.flatMap { edge -> [Int?] in
            let value = row.references[edge.number] ?? []
            guard edge.follow == .cut, !value.contains(nil) else { return value }
            let isKept = tables[edge.parent].rows.enumerated().contains { parent, values in
                isPair(edge, row, values) && kept.contains(Place(table: edge.parent, row: parent))
            }
            return isKept ? value : value.indices.map { edge.allowsNull($0) ? nil : value[$0] }
        }
        return (row.values + references).map { $0.map(String.init) ?? "" }.joined(separator: ",")
    }
}
