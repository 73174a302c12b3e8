import Foundation
public import Storage

/// Lists the sets of a configuration, and the runs that have not made one.
///
///     let list = SetList(configuration)
///     for set in try await list.read() { print(set.id, set.state) }
public struct SetList: Sendable {
    private let access: CatalogAccess

    /// Prepares a list; nothing is read before ``read()``.
    ///
    /// - Parameters:
    ///   - configuration: Says where the records are.
    ///   - kind: Whose catalog is listed: that of the configuration's backup or that of its restore.
    ///   - environment: Environment variables and clock.
    public init(
        _ configuration: Configuration,
        for kind: RunKind = .backup,
        environment: RunEnvironment = RunEnvironment()
    ) {
        access = CatalogAccess(configuration: configuration, kind: kind, environment: environment)
    }

    /// The folder of the records.
    ///
    /// - Throws: ``DatabudgieError`` when the configuration has none.
    public func catalog() throws -> StoragePath { try access.folder() }

    /// Reads the records, a few at a time.
    ///
    /// - Returns: The sets, newest first; a record that cannot be used is one of them, with its problem.
    /// - Throws: ``DatabudgieError`` when the configuration has no catalog; `StorageError` when it cannot be listed, or when
    ///   no record could be read; `CancellationError`.
    public func read() async throws -> [ListedSet] {
        let now = access.environment.now
        return try await access.withCatalog { catalog in
            try await catalog.entries().concurrentMap { entry in
                try await Self.read(entry, in: catalog, at: now)
            }.compactMap(\.self)
        }
    }

    /// - Returns: nil for what has been removed since it was listed.
    private static func read(
        _ entry: SetCatalog.Entry,
        in catalog: SetCatalog,
        at now: Date
    ) async throws -> ListedSet? {
        if entry.record != nil {
            switch try await FileFailure.result({ try await catalog.summary(entry.id) }) {
            case .success(let summary):
                var set = ListedSet(id: entry.id, summary)
                if entry.verification != nil {
                    let result = try await FileFailure.result { try await catalog.verification(entry.id) }
                    if case .success(let verification) = result { set.verification = verification }
                }
                return set
            case .failure(let error):
                if (error.underlying as? StorageError)?.code == .notFound { return nil }
                return ListedSet(id: entry.id, state: .unreadable, problem: error)
            }
        }
        guard entry.running != nil else { return nil }
        switch try await FileFailure.result({ try await catalog.runningMark(entry.id) }) {
        case .success(let mark?):
            return ListedSet(id: entry.id, state: entry.isCrashed(mark, at: now) ? .crashed : .running, run: mark)
        case .success(nil):
            // Its run has ended since it was listed, or the mark was cut off.
            if let summary = try? await catalog.summary(entry.id) { return ListedSet(id: entry.id, summary) }
            return ListedSet(id: entry.id, state: entry.isCrashed(nil, at: now) ? .crashed : .running)
        case .failure(let error):
            return ListedSet(id: entry.id, state: .unreadable, problem: error)
        }
    }
}

extension SetCatalog.Entry {
    /// Whether the run that has left a mark, and no record, was killed.
    ///
    /// - Parameters:
    ///   - mark: What the mark says; nil when it was cut off: then its age counts.
    ///   - now: The moment of the question.
    /// - Returns: False while the run may be under way.
    func isCrashed(_ mark: RunningMark?, at now: Date) -> Bool {
        if let mark { return mark.isAbandoned(at: now) }
        return running.map { now.timeIntervalSince($0.modified) > RunningMark.longestRun } ?? false
    }
}
