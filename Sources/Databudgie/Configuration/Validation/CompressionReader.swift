import Compression

/// Reads `compression`: `gzip`, `zstd`, or one of them with a level, as pg_dump's option `--compress` takes it.
struct CompressionReader {
    private let read: ValueReader

    init(_ read: ValueReader) {
        self.read = read
    }

    /// YAML 1.1 and environment variables have several words for null and false.
    ///
    /// Databudgie 2.9.3 took what is not a compression for none; only the ways to write that are read so here.
    private static let wordsForNone: Set = ["", "none", "null", "false", "no", "off"]

    /// The form of data files; plain for null and for a value that is reported.
    func format(_ value: SourceValue?) -> DataFileFormat {
        let plain = DataFileFormat(compression: nil)
        if let scalar = value?.scalar, Self.wordsForNone.contains(scalar.text.withoutLastLineBreak.lowercased()) {
            return plain
        }
        guard let value, let text = value.scalar?.text.withoutLastLineBreak,
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else {
            return DataFileFormat(compression: read.choice(value, "compression", CompressionFormat.self))
        }
        let name = String(Substring(text.utf8[..<colon]))
        let detail = Substring(text.utf8[text.utf8.index(after: colon)...])
        guard let format = CompressionFormat(rawValue: name) else {
            refuse(value, text, hint: Self.suggestion(for: name, detail))
            return plain
        }
        guard let level = Self.level(detail), format.levels.contains(level) else {
            let levels = format.levels
            refuse(
                value,
                text,
                hint: "use \(name), or a level from \(name):\(levels.lowerBound) to \(name):\(levels.upperBound)"
            )
            return plain
        }
        return DataFileFormat(compression: format, level: level)
    }

    /// A level: a number, or as a keyword, which pg_dump takes as well.
    private static func level(_ detail: Substring) -> Int? {
        let keyword = "level=".utf8
        let digits = detail.utf8.starts(with: keyword) ? detail.utf8.dropFirst(keyword.count) : detail.utf8[...]
        // More could be a password.
        guard digits.count <= 2, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(String(Substring(digits)))
    }

    private static func suggestion(for name: String, _ detail: Substring) -> String {
        let words = CompressionFormat.allCases.map(\.rawValue)
        // Whatever else is there may be a password of a misplaced URL.
        let level = level(detail).map { ":\($0)" } ?? ""
        return KeySuggestion.nearest(to: name, among: words).map { "did you mean '\($0)\(level)'?" }
            ?? "use one of \(words.joined(separator: ", "))"
    }

    /// Says what is wrong; what follows a colon is repeated only if it is a level.
    private static func refusal(of text: String) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let level = level(parts[1]), let name = ValueReader.repeated(String(parts[0]))
        else { return ValueReader.refusal(of: text, as: "compression") }
        return "'compression' cannot be \(name) with the level \(level)"
    }

    private func refuse(_ value: SourceValue, _ text: String, hint: String) {
        read.report.add(.invalidValue, Self.refusal(of: text), hint: hint, at: value.place)
    }
}
