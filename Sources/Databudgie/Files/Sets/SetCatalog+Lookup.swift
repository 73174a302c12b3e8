import Storage

extension SetCatalog {
    /// The name that stands for the newest complete set.
    static let latest = "latest"

    /// Reads what a record says of its set as a whole, in the memory of a chunk.
    ///
    /// - Parameter id: The id of the set.
    /// - Returns: The record without its tables.
    /// - Throws: ``DatabudgieError`` when it is damaged or of a later format; `StorageError`, with the code `notFound` when
    ///   there is none.
    func summary(_ id: String) async throws -> SetSummary {
        let path = recordPath(of: id)
        var skimmer = RecordSkimmer(SetSummary.keys)
        for try await chunk in try await storages.storage(for: folder).read(path) where !skimmer.read(chunk) { break }
        return try SetRecord.decode(SetSummary.self, skimmer.object ?? [], at: path.description)
    }

    /// Finds the set that a user names.
    ///
    /// - Parameter name: `latest`, an id, or as much of its beginning as no other set has.
    /// - Returns: The id of a set with a record, and a warning for each newer set that `latest` has passed over.
    /// - Throws: ``DatabudgieError`` when there is no such set, or more than one; `StorageError`.
    func find(_ name: String) async throws -> (id: String, passedOver: [Finding]) {
        let entries = try await entries()
        if name.hasBytes(of: Self.latest) { return try await newestWhole(of: entries) }
        let matches = entries.filter { $0.id.startsWithBytes(of: name) }
        let sets = matches.filter { $0.record != nil }
        if sets.count == 1 { return (sets[0].id, []) }
        if let set = sets.first(where: { $0.id.hasBytes(of: name) }) { return (set.id, []) }
        guard sets.isEmpty else {
            throw DatabudgieError(
                .configuration,
                "\(sets.count) sets begin with '\(name)': \(sets.map(\.id).listed(atMost: 10))",
                hint: "give more of the id"
            )
        }
        if let run = matches.first {
            throw DatabudgieError(
                .configuration,
                "\(run.id) is not a set yet: its run has not ended, or was killed",
                hint: "wait for it, or choose one that 'databudgie list' shows as complete"
            )
        }
        throw DatabudgieError(
            .configuration,
            "there is no set '\(name)' in \(folder)",
            hint: "choose one that 'databudgie list' shows, or 'latest'"
        )
    }

    private func newestWhole(of entries: [Entry]) async throws -> (id: String, passedOver: [Finding]) {
        var passedOver: [Finding] = []
        for entry in entries where entry.record != nil {
            switch try await FileFailure.result({ try await summary(entry.id) }) {
            case .success(let summary):
                if summary.isWhole { return (entry.id, passedOver) }
                let reason = summary.supersededBy.map { "its files were replaced by those of \($0)" } ?? "it is partial"
                passedOver.append(.warning("the newer set \(entry.id) is passed over: \(reason)"))
            case .failure(let error):
                let reason = error.problems[0].message
                passedOver.append(.warning("the newer set \(entry.id) is passed over: \(reason)", hint: error.hint))
            }
        }
        var error = DatabudgieError(
            .nothingToDo,
            passedOver.isEmpty ? "there are no sets in \(folder)" : "there is no complete set in \(folder)",
            hint: passedOver.isEmpty ? nil : "choose one by its id; 'databudgie list' shows them"
        )
        error.warnings = passedOver
        throw error
    }
}
