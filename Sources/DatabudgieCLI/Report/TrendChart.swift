import Databudgie

/// How a number changed from set to set: a bar for each.
struct TrendChart {
    private static let (width, height, top, bottom) = (480.0, 150.0, 22.0, 20.0)

    private let points: [Report.Point]
    private let current: String?
    private let title: String
    private let value: (Report.Point) -> Double
    private let show: (Report.Point) -> String

    /// - Parameters:
    ///   - points: The sets, the oldest first.
    ///   - current: The id of the set that the page is of.
    ///   - title: What the number is.
    ///   - value: The number of a set.
    ///   - show: The number as people read it.
    init(
        _ points: [Report.Point],
        of current: String?,
        _ title: String,
        _ value: @escaping (Report.Point) -> Double,
        show: @escaping (Report.Point) -> String
    ) {
        (self.points, self.current, self.title, self.value, self.show) = (points, current, title, value, show)
    }

    /// The chart with its title.
    var drawing: HTML {
        let most = points.max { value($0) < value($1) }
        let scale = max(most.map(value) ?? 0, .leastNonzeroMagnitude)
        let room = Self.height - Self.top - Self.bottom
        let step = Self.width / Double(max(points.count, 1))
        let base = Self.height - Self.bottom
        let bars = points.enumerated().map { index, point in
            let height = max(value(point) / scale * room, 1)
            return HTML.element(
                "rect",
                [
                    "class": classes(of: point), "x": HumanNumber.plain(Double(index) * step + step * 0.1),
                    "y": HumanNumber.plain(base - height), "width": HumanNumber.plain(step * 0.8),
                    "height": HumanNumber.plain(height), "rx": "1.5",
                ],
                [.element("title", text: "\(point.id): \(show(point))\(state(of: point))")]
            )
        }
        let line = HTML.element(
            "line",
            ["class": "axis", "x1": "0", "x2": "\(Self.width)", "y1": "\(base)", "y2": "\(base)"]
        )
        let labels = [
            label("most: \(most.map(show) ?? "")", x: 0, y: Self.top - 8, "start"),
            label(day(points.first), x: 0, y: Self.height - 5, "start"),
            label(day(points.last), x: Self.width, y: Self.height - 5, "end"),
        ]
        return .element(
            "figure",
            [:],
            [
                .element("figcaption", text: title),
                .element(
                    "svg",
                    [
                        "viewBox": "0 0 \(Self.width) \(Self.height)", "role": "img",
                        "aria-label": "\(title) of the last \(HumanNumber.count(points.count, "set"))",
                    ],
                    bars + [line] + labels
                ),
            ]
        )
    }

    private func classes(of point: Report.Point) -> String {
        let isCurrent = point.id.utf8.elementsEqual((current ?? "").utf8)
        return "point \(point.state.rawValue)" + (isCurrent ? " current" : "")
    }

    private func state(of point: Report.Point) -> String {
        point.state == .complete ? "" : " (\(point.state.rawValue))"
    }

    private func day(_ point: Report.Point?) -> String {
        point.map { String($0.id.prefix(10)) } ?? ""
    }

    private func label(_ text: String, x: Double, y: Double, _ anchor: String) -> HTML {
        .element("text", ["x": "\(x)", "y": "\(y)", "text-anchor": anchor], text: text)
    }
}

extension HumanNumber {
    /// A number for a drawing, with a point and one digit after it.
    static func plain(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
