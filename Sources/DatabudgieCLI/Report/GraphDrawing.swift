import Databudgie

/// The foreign keys among tables, drawn in columns: each table is to the right of those that it refers to.
struct GraphDrawing {
    /// More than that nobody can read.
    static let mostTables = 60

    private static let (boxWidth, boxHeight, columnWidth, rowHeight) = (190.0, 26.0, 270.0, 38.0)
    private static let longestLabel = 26

    /// The drawing.
    let svg: HTML
    /// What it lacks, and how it is read.
    let note: String

    /// - Returns: nil when no table refers to another one of the set.
    init?(_ report: Report) {
        let all = Self.edges(report)
        let joined = Set(all.flatMap { [$0.from, $0.to] })
        guard !joined.isEmpty else { return nil }
        let shown = Self.mostJoined(joined, all).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: shown.enumerated().map { ($1, $0) })
        let edges = all.compactMap { edge -> Edge? in
            guard let from = numbers[edge.from], let to = numbers[edge.to] else { return nil }
            return Edge(from: from, to: to, key: edge.key)
        }
        let names = shown.map { report.tables[$0].name }
        svg = Self.drawing(names, edges)
        var sentences = ["Each table is to the right of those that it refers to."]
        if joined.count > shown.count {
            sentences.append("\(HumanNumber.count(joined.count - shown.count)) more with foreign keys are not drawn.")
        }
        let single = report.tables.count - joined.count
        if single > 0 {
            sentences.append(
                "\(HumanNumber.count(single, "table")) without foreign keys \(single == 1 ? "is" : "are") not shown."
            )
        }
        note = sentences.joined(separator: " ")
    }

    private struct Edge {
        let from: Int
        let to: Int
        let key: SetRecord.ForeignKey
    }

    /// As many tables as can be drawn: from the one with the most keys to those that it is joined to, and on from there.
    private static func mostJoined(_ joined: Set<Int>, _ edges: [Edge]) -> Set<Int> {
        var neighbours: [Int: Set<Int>] = [:]
        for edge in edges {
            neighbours[edge.from, default: []].insert(edge.to)
            neighbours[edge.to, default: []].insert(edge.from)
        }
        let order = joined.sorted {
            (-(neighbours[$0]?.count ?? 0), $0) < (-(neighbours[$1]?.count ?? 0), $1)
        }
        let rank = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        var (shown, near): (Set<Int>, Set<Int>) = ([], [])
        while shown.count < mostTables {
            let next = near.min { rank[$0, default: 0] < rank[$1, default: 0] } ?? order.first { !shown.contains($0) }
            guard let next else { break }
            shown.insert(next)
            near.formUnion(neighbours[next] ?? [])
            near.subtract(shown)
        }
        return shown
    }

    /// The keys whose tables are both in the set.
    private static func edges(_ report: Report) -> [Edge] {
        let numbers = Dictionary(
            report.tables.enumerated().map { (Array($1.name.utf8), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return report.foreignKeys.compactMap { key in
            guard let from = numbers[Array(key.table.utf8)], let to = numbers[Array(key.references.utf8)] else {
                return nil
            }
            return Edge(from: from, to: to, key: key)
        }
    }

    private static func drawing(_ names: [String], _ edges: [Edge]) -> HTML {
        let columns = GraphLayout(count: names.count, edges: edges.map { ($0.from, $0.to) }).columns
        let rows = columns.map(\.count).max() ?? 0
        let height = Double(rows) * rowHeight + 12
        var places = [(x: Double, y: Double)](repeating: (0, 0), count: names.count)
        for (column, tables) in columns.enumerated() {
            let gap = height / Double(max(tables.count, 1))
            for (row, table) in tables.enumerated() {
                places[table] = (Double(column) * columnWidth + 4, (Double(row) + 0.5) * gap - boxHeight / 2)
            }
        }
        let width = Double(columns.count - 1) * columnWidth + boxWidth + 40
        return .element(
            "svg",
            [
                "class": "graph", "width": HumanNumber.plain(width), "height": HumanNumber.plain(height),
                "viewBox": "0 0 \(HumanNumber.plain(width)) \(HumanNumber.plain(height))", "role": "img",
                "aria-label": "Tables and their foreign keys",
            ],
            [marker] + edges.map { line($0, places) } + names.indices.map { box(names[$0], places[$0]) }
        )
    }

    private static var marker: HTML {
        .element(
            "defs",
            [:],
            [
                .element(
                    "marker",
                    [
                        "id": "arrow", "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "7",
                        "markerHeight": "7", "orient": "auto",
                    ],
                    [.element("path", ["d": "M0,0 L8,4 L0,8 z"])]
                )
            ]
        )
    }

    private static func box(_ name: String, _ place: (x: Double, y: Double)) -> HTML {
        let label = name.count > longestLabel ? name.prefix(longestLabel - 1) + "…" : name
        return .element(
            "g",
            ["class": "box"],
            [
                .element("title", text: name),
                .element(
                    "rect",
                    [
                        "x": HumanNumber.plain(place.x), "y": HumanNumber.plain(place.y),
                        "width": HumanNumber.plain(boxWidth), "height": HumanNumber.plain(boxHeight), "rx": "5",
                    ]
                ),
                .element(
                    "text",
                    ["x": HumanNumber.plain(place.x + 10), "y": HumanNumber.plain(place.y + 17)],
                    text: label
                ),
            ]
        )
    }

    private static func line(_ edge: Edge, _ places: [(x: Double, y: Double)]) -> HTML {
        let (start, end) = (places[edge.from], places[edge.to])
        let (y1, y2) = (start.y + boxHeight / 2, end.y + boxHeight / 2)
        let path: String
        if edge.from == edge.to {
            path = curve(
                start.x + boxWidth,
                y1 - 6,
                start.x + boxWidth + 34,
                start.x + boxWidth,
                y1 + 6,
                start.x + boxWidth + 34
            )
        } else if start.x > end.x {
            let middle = (columnWidth - boxWidth) * 0.6
            path = curve(start.x, y1, start.x - middle, end.x + boxWidth, y2, end.x + boxWidth + middle)
        } else {
            // The key that closes a cycle goes around on the right.
            let right = max(start.x, end.x) + boxWidth + 36
            path = curve(start.x + boxWidth, y1, right, end.x + boxWidth, y2, right)
        }
        let notes = [edge.key.notValid == true ? "not valid" : nil, edge.key.ignored == true ? "not followed" : nil]
            .compactMap(\.self)
        return .element(
            "path",
            ["class": notes.isEmpty ? "key" : "key weak", "d": path, "marker-end": "url(#arrow)"],
            [
                .element(
                    "title",
                    text: "\(edge.key.name): \(edge.key.table) refers to \(edge.key.references)"
                        + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
                )
            ]
        )
    }

    /// A curve from one point to another, both of whose ends are horizontal.
    private static func curve(
        _ x1: Double,
        _ y1: Double,
        _ control1: Double,
        _ x2: Double,
        _ y2: Double,
        _ control2: Double
    ) -> String {
        let points = [(x1, y1), (control1, y1), (control2, y2), (x2, y2)].map {
            "\(HumanNumber.plain($0.0)),\(HumanNumber.plain($0.1))"
        }
        return "M\(points[0]) C\(points[1]) \(points[2]) \(points[3])"
    }
}
