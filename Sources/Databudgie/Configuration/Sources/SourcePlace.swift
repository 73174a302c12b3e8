/// Where a value was written.
struct SourcePlace: Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named, `--raw-config`, `standard input`, `environment variable NAME` or an option.
    var source: String
    /// The line, from 1; nil where the source has no lines.
    var line: Int?
    /// How a scalar is written at this place, which an interpolated one is read by once more.
    var format: ConfigurationFormat?

    init(_ source: String, line: Int? = nil, format: ConfigurationFormat? = nil) {
        self.source = source
        self.line = line
        self.format = format
    }

    /// As messages begin: `databudgie.yml:12`.
    var description: String { line.map { "\(source):\($0)" } ?? source }
}
