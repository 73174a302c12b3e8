/// The tables that a manifest has under one transaction id, for one action.
struct RecordedTables: Sendable {
    /// In the words of a message: `backup 7 in public.databudgie_manifest`.
    let source: String
    /// Paths of data files by the bytes of the table's name, in the order in which they were recorded.
    private var paths: [[UInt8]: [String]] = [:]

    init(source: String) {
        self.source = source
    }

    var isEmpty: Bool { paths.isEmpty }

    mutating func add(_ table: String, path: String) {
        paths[Array(table.utf8), default: []].append(path)
    }

    /// The data files that are recorded for a table, by its `schema.name`.
    func paths(of table: String) -> [String] {
        paths[Array(table.utf8), default: []]
    }
}
