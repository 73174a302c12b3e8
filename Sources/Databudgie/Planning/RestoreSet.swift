import Crypto
import Postgres
import Storage

/// The set that a restore reads: what its record says of each table, and where its files are.
struct RestoreSet: Sendable {
    /// A file as the record has it.
    struct File: Sendable {
        let path: StoragePath
        /// Its size, in bytes.
        let bytes: Int64
        /// SHA-256 of its bytes, in hexadecimal digits; nil for a data file, and when it was adopted unread.
        var sha256: String?
        /// The segments of a data file; nil for others, and when it was adopted unread.
        var segments: [SetRecord.Segment]?

        /// Checks what was read of it.
        ///
        /// - Parameters:
        ///   - bytes: All of it.
        ///   - set: The id of the set.
        /// - Throws: ``DatabudgieError`` when it is another file than the recorded one.
        func check(_ bytes: [UInt8], of set: String) throws(DatabudgieError) {
            guard Int64(bytes.count) == self.bytes else {
                throw DatabudgieError(
                    .dataFile,
                    "\(path) has \(counted(bytes.count, "byte")), but \(self.bytes) in the set \(set): it was replaced or "
                        + "damaged",
                    hint: RestoreSet.hint(for: set)
                )
            }
            guard let sha256, !sha256.hasBytes(of: hexadecimal(SHA256.hash(data: bytes))) else { return }
            throw DatabudgieError(
                .dataFile,
                "\(path) is not the file of the set \(set): its SHA-256 is another",
                hint: RestoreSet.hint(for: set)
            )
        }
    }

    /// What a set has of one entry for a table.
    struct Part: Sendable {
        /// The id of the set.
        let set: String
        /// The query whose rows they are; nil when they are all of the table's.
        let query: String?
        /// When the rows were read, as far as it is known: a mixed set has files of earlier runs.
        let moment: String?
        /// Rows in the data file; nil when they were not counted.
        let rows: Int?
        let data: File?
        let sequences: File?
    }

    let record: SetRecord
    /// Why it is this one.
    var reason = ""
    /// The files with definitions.
    let definitions: [File]
    /// The folder that relative paths of the record are below.
    let base: StoragePath
    private let parts: [QualifiedName: [Part]]

    var id: String { record.id }

    /// - Parameters:
    ///   - record: The set's record.
    ///   - paths: How its catalog writes paths.
    ///   - defaultSchema: That of the target, for names without a schema.
    /// - Throws: ``DatabudgieError`` for a path that is not one of a backup's files.
    init(_ record: SetRecord, paths: RecordedPaths, defaultSchema: String) throws {
        self.record = record
        base = paths.base
        var parts: [QualifiedName: [Part]] = [:]
        for table in record.tables {
            guard let name = table.tableName(defaultSchema: defaultSchema) else { continue }
            parts[name, default: []].append(
                Part(
                    set: record.id,
                    query: table.query,
                    moment: record.consistency == .mixed ? nil : record.id,
                    rows: table.rows,
                    data: try table.file.map {
                        File(path: try paths.path(of: $0.path), bytes: $0.bytes, segments: $0.segments)
                    },
                    sequences: try table.sequencesFile.map {
                        File(path: try paths.path(of: $0.path), bytes: $0.bytes, sha256: $0.sha256)
                    }
                )
            )
        }
        self.parts = parts
        definitions = try record.definitions.map { file in
            File(path: try paths.path(of: file.path), bytes: file.bytes, sha256: file.sha256)
        }
    }

    /// Finds what the set has for each candidate whose entry does not choose its files in another way.
    ///
    /// - Parameter candidates: All candidates of a restore.
    /// - Returns: The same, with what the set has of them.
    func choosing(for candidates: [RestoreCandidate]) -> [RestoreCandidate] {
        let grouped = Dictionary(
            grouping: candidates.indices.filter { candidates[$0].entry.takesSet },
            by: { candidates[$0].storedName }
        )
        var result = candidates
        for (name, indices) in grouped {
            let parts = parts[name, default: []]
            // What one entry has by its query is not another one's.
            let claimed = Set(indices.flatMap { sameQuery(candidates[$0], parts) })
            for index in indices {
                let candidate = candidates[index]
                let own = sameQuery(candidate, parts)
                var choice = own.isEmpty ? parts.indices.filter { !claimed.contains($0) } : own
                if choice.count > 1 {
                    let placed = choice.filter { number in
                        let path = (parts[number].data ?? parts[number].sequences)?.path
                        return path.map { path in candidate.patterns.contains { $0.time(of: path) != nil } } ?? false
                    }
                    if !placed.isEmpty { choice = placed }
                }
                result[index].source =
                    choice.count > 1
                    ? .ambiguous(set: id, paths: choice.compactMap { parts[$0].data?.path })
                    : choice.first.map { .part(parts[$0]) } ?? .absent(set: id)
            }
        }
        return result
    }

    /// The places of those of some parts that have the rows of a candidate's query.
    private func sameQuery(_ candidate: RestoreCandidate, _ parts: [Part]) -> [Int] {
        let query = candidate.entry.query.flatMap { text -> String? in
            guard let template = try? Template(text), let timestamp = RunTimestamp(id: id) else { return nil }
            return TableQuery(template, table: candidate.storedName, at: timestamp).sql
        }
        return parts.indices.filter { number in
            switch (parts[number].query, query) {
            case (nil, nil): true
            case (let recorded?, let query?): recorded.hasBytes(of: query)
            case (nil, _?), (_?, nil): false
            }
        }
    }

    /// What to do about a file that is missing, or is not the one that a set has.
    static func hint(for set: String) -> String {
        "verify the set with 'databudgie verify \(set)', copy the file again from its source, or choose another set by --set"
    }

    /// Whether the set has rows of a table.
    func hasRows(_ table: QualifiedName) -> Bool {
        parts[table, default: []].contains { $0.data != nil }
    }
}

/// Where the files of a restore's candidate come from.
enum CandidateSource: Sendable {
    /// They are the newest by their names, or by the times of modification.
    case listing
    /// They are those of a set.
    case part(RestoreSet.Part)
    /// A set that has nothing of the table.
    case absent(set: String)
    /// A set that has several files which may be meant.
    case ambiguous(set: String, paths: [StoragePath])

    /// The id of the set; nil when the files are found by listings.
    var set: String? {
        switch self {
        case .listing: nil
        case .part(let part): part.set
        case .absent(let set), .ambiguous(let set, _): set
        }
    }

    /// What the set has of the candidate.
    var part: RestoreSet.Part? {
        if case .part(let part) = self { part } else { nil }
    }
}

extension RestoreEntry {
    /// Its files are those of a set, when there is one.
    var takesSet: Bool { strategy == nil || strategy == .useLatestSet }
}

extension SetRecord.Table {
    /// The table's name, or the one that a query goes by.
    ///
    /// - Parameter defaultSchema: The schema of names without one.
    /// - Returns: Nil for a query without a name.
    func tableName(defaultSchema: String) -> QualifiedName? {
        guard let name else { return nil }
        if let schema { return QualifiedName(schema: schema, name: name) }
        let parts = name.split(atByte: ".", maxSplits: 1)
        return parts.count == 2
            ? QualifiedName(schema: parts[0], name: parts[1]) : QualifiedName(schema: defaultSchema, name: name)
    }
}
