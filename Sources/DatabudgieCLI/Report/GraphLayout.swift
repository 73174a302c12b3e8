/// Where the tables of a graph are drawn: in columns, each table to the right of those that it refers to.
///
/// Keys that close a cycle are not looked at. Within a column tables are near those that they are joined to.
struct GraphLayout {
    /// The tables of each column, from top to bottom, by their numbers.
    private(set) var columns: [[Int]] = []

    /// Lays a graph out.
    ///
    /// - Parameters:
    ///   - count: How many tables there are.
    ///   - edges: Which refers to which, by their numbers.
    init(count: Int, edges: [(from: Int, to: Int)]) {
        let edges = edges.filter { $0.from != $0.to }
        var targets = [[Int]](repeating: [], count: count)
        var neighbours = targets
        for edge in edges {
            targets[edge.from].append(edge.to)
            neighbours[edge.from].append(edge.to)
            neighbours[edge.to].append(edge.from)
        }
        let depths = Self.depths(targets)
        columns = Array(repeating: [], count: (depths.max() ?? -1) + 1)
        for (table, depth) in depths.enumerated() { columns[depth].append(table) }
        arrange(neighbours, depths)
    }

    /// How long the longest way to a table without references is, cycles aside.
    private static func depths(_ targets: [[Int]]) -> [Int] {
        var depths = [Int](repeating: 0, count: targets.count)
        var state = [UInt8](repeating: 0, count: targets.count)
        for start in targets.indices where state[start] == 0 {
            // A stack of our own: a chain may be as long as there are tables.
            var stack = [(table: start, next: 0)]
            state[start] = 1
            while let (table, next) = stack.last {
                guard next < targets[table].count else {
                    state[table] = 2
                    stack.removeLast()
                    if let last = stack.last { depths[last.table] = max(depths[last.table], depths[table] + 1) }
                    continue
                }
                stack[stack.count - 1].next += 1
                let target = targets[table][next]
                switch state[target] {
                case 0:
                    state[target] = 1
                    stack.append((target, 0))
                case 2: depths[table] = max(depths[table], depths[target] + 1)
                // It is on the way here: the key closes a cycle.
                default: break
                }
            }
        }
        return depths
    }

    /// Moves tables towards the middle of their neighbours, from column to column and back.
    private mutating func arrange(_ neighbours: [[Int]], _ depths: [Int]) {
        var place = [Double](repeating: 0, count: neighbours.count)
        func note(_ column: [Int]) {
            for (index, table) in column.enumerated() {
                place[table] = (Double(index) + 0.5) / Double(max(column.count, 1))
            }
        }
        columns.forEach(note)
        for sweep in 0..<6 {
            let order = sweep.isMultiple(of: 2) ? Array(columns.indices) : columns.indices.reversed()
            for column in order {
                let wanted = Dictionary(
                    uniqueKeysWithValues: columns[column].map { table in
                        let near = neighbours[table].filter { depths[$0] != column }.map { place[$0] }
                        return (table, near.isEmpty ? place[table] : near.reduce(0, +) / Double(near.count))
                    }
                )
                columns[column].sort { (wanted[$0, default: 0], $0) < (wanted[$1, default: 0], $1) }
                note(columns[column])
            }
        }
    }
}
