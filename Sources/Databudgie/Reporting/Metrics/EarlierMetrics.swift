/// What a metrics file says before it is replaced.
struct EarlierMetrics: Sendable {
    private let lines: [String]

    /// Nothing, as there is no file.
    init() {
        lines = []
    }

    /// Reads a file; nil when it is not one of ours, which is not to be replaced.
    init?(_ text: String) {
        lines = text.utf8.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        let prefixes = ["# HELP databudgie_", "# TYPE databudgie_", "databudgie_"]
        guard lines.allSatisfy({ line in prefixes.contains { line.startsWithBytes(of: $0) } }) else { return nil }
    }

    /// The value of a metric; nil when the file has none that is a number.
    func value(of metric: RunMetrics.Metric, _ kind: RunKind) -> Double? {
        let name = metric.name(kind)
        let line = lines.first { $0.startsWithBytes(of: name + "{") || $0.startsWithBytes(of: name + " ") }
        guard let number = line?.utf8.split(separator: UInt8(ascii: " ")).last else { return nil }
        return Double(String(Substring(number))).flatMap { $0.isFinite ? $0 : nil }
    }

    /// The lines about runs of other kinds, each with its line break.
    func lines(without kind: RunKind) -> String {
        let name = "databudgie_\(kind.rawValue)_"
        return lines.filter { line in
            !["", "# HELP ", "# TYPE "].contains { line.startsWithBytes(of: $0 + name) }
        }.map { $0 + "\n" }.joined()
    }
}
