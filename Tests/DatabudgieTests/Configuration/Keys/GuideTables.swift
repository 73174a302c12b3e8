@testable import Databudgie

/// The tables of keys in the guide, as they are made from the table in the library.
enum GuideTables {
    /// Where the tables are: `<!-- keys of NAME -->` comes before each, and `<!-- end of keys -->` after it.
    static let pages = ["configuration.md", "subset.md", "notifications.md"]
    private static let start = "<!-- keys of "
    private static let end = "<!-- end of keys -->"

    /// A page with its tables made again, and the names of these.
    static func updated(_ page: String) -> (text: String, sections: [String]) {
        var lines: [String] = []
        var sections: [String] = []
        var isInside = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line == end { isInside = false }
            if !isInside { lines.append(line) }
            guard line.hasPrefix(start), line.hasSuffix(" -->") else { continue }
            let name = String(line.dropFirst(start.count).dropLast(4))
            sections.append(name)
            lines += ["", "| key | type | default | |", "|---|---|---|---|"] + keys(of: name).map(row) + [""]
            isInside = true
        }
        return (lines.joined(separator: "\n"), sections)
    }

    /// The keys that are described in a section, each in one of them.
    static func keys(of section: String) -> [ConfigurationKey] {
        ConfigurationKey.all.filter { key in
            guard key.original == nil else { return false }
            switch key.home {
            case .root, .reporting: return section == "root"
            case .run, .command: return section == "runs"
            case .table: return section == "table"
            case .inside(let level): return section == level.name
            }
        }
    }

    private static func row(_ key: ConfigurationKey) -> String {
        let standard =
            switch key.standard {
            case .value(let text): " `\(text)`"
            case .words(let text): " \(text)"
            case nil: ""
            }
        var text = (key.kind.map { "\($0.rawValue): " } ?? "") + key.text
        if case .command(let kind) = key.home { text += "; `\(kind.rawValue)` and the root only" }
        return "| `\(key.name)` | \(key.form.words) |\(standard) | \(text) |"
    }
}
