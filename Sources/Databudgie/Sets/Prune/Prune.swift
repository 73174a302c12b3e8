public import Foundation
import Storage

/// Removes the backup sets that no rule of `retention` keeps.
///
///     let prune = Prune(configuration)
///     let plan = try await prune.plan()
///     try await prune.remove(plan)
///
/// The record of a set is removed first and its files afterwards: whenever it is interrupted, a set that is listed has all of
/// its files. The newest complete set always stays, and so does a run that is under way.
public struct Prune: Sendable {
    /// How old something must be that no set names before it is removed, in seconds: one day.
    public static let age = Cleanup.age

    private let access: CatalogAccess

    private var configuration: Configuration { access.configuration }
    private var environment: RunEnvironment { access.environment }

    /// Prepares a prune; nothing is done before ``plan(includingOrphans:)``.
    ///
    /// - Parameters:
    ///   - configuration: Its backup says where the catalog is, which sets are kept, and where orphans are searched for.
    ///   - environment: Environment variables and clock.
    public init(_ configuration: Configuration, environment: RunEnvironment = RunEnvironment()) {
        access = CatalogAccess(configuration: configuration, kind: .backup, environment: environment)
    }

    /// Decides what is removed, and removes nothing.
    ///
    /// - Parameter includingOrphans: Also look for what no set names: this lists all locations. Without a `retention` only
    ///   that is removed.
    /// - Returns: What becomes of each set, and why.
    /// - Throws: ``DatabudgieError`` when there is no `retention` or catalog, or when a record cannot be read; `StorageError`;
    ///   `CancellationError`. Nothing was changed then.
    public func plan(includingOrphans: Bool = false) async throws -> PrunePlan {
        try await DatabudgieError.withEffect(.nothingChanged) {
            let policy = try policy(isNeeded: !includingOrphans)
            return try await access.withCatalog { catalog in
                try await plan(catalog, policy, includingOrphans: includingOrphans)
            }
        }
    }

    /// Removes what a plan says; a cancellation ends it after the set at hand.
    ///
    /// - Parameter plan: What ``plan(includingOrphans:)`` has returned; the catalog must not have changed since.
    /// - Throws: ``DatabudgieError`` when the catalog has changed, for the first set that could not be removed, or for all
    ///   sets that are locked, after the others were removed; `StorageError`; `CancellationError`.
    public func remove(_ plan: PrunePlan) async throws {
        try await access.withCatalog { catalog in try await remove(plan, from: catalog) }
    }

    /// Removes what a plan says, from storages of the caller's.
    func remove(_ plan: PrunePlan, from catalog: SetCatalog) async throws {
        try await DatabudgieError.withEffect(.nothingChanged) {
            guard try await catalog.entries() == plan.catalog else {
                throw DatabudgieError(
                    .storage,
                    "the sets in \(catalog.folder) have changed since they were listed",
                    hint: "prune again"
                )
            }
        }
        var locked: [Finding] = []
        for deletion in plan.deletions {
            try Task.checkCancellation()
            do {
                // An interruption comes after the set at hand, of which nothing is left then.
                try await Task {
                    try await SetRemoval(deletion, from: catalog, now: environment.now).run()
                }.value
            } catch let error as DatabudgieError where (error.underlying as? StorageError)?.code == .locked {
                // The retention of each set ends at a time of its own.
                locked += error.problems
            }
        }
        try await Self.remove(plan.orphans, from: catalog.storages)
        guard locked.isEmpty else { throw DatabudgieError(.storage, locked) }
    }

    private func policy(isNeeded: Bool) throws -> RetentionPolicy? {
        guard let policy = configuration.backup.retention else {
            guard isNeeded else { return nil }
            throw DatabudgieError(
                .configuration,
                "there is no 'retention' that says which sets are kept",
                hint: "add it to the configuration, for instance retention: {keep_daily: 7, keep_weekly: 5}"
            )
        }
        guard !policy.keepsNothing else {
            throw DatabudgieError(.configuration, RetentionPolicy.emptyMessage, hint: RetentionPolicy.emptyHint)
        }
        return policy
    }
}

extension Prune {
    private func plan(
        _ catalog: SetCatalog,
        _ policy: RetentionPolicy?,
        includingOrphans: Bool
    ) async throws -> PrunePlan {
        let entries = try await catalog.entries()
        let places = try CleanupPlaces(configuration.backup)
        let sets = try await entries.filter { $0.record != nil }.concurrentMap(limit: 4) { entry in
            try await PrunableSet(entry, in: catalog, folders: places.folders)
        }
        let unfinished = try await Self.unfinishedRuns(entries, in: catalog, at: environment.now)
        var running = Set(unfinished.map { ByteKey($0.id) })
        var orphans: [Orphan] = []
        if includingOrphans {
            let search = try search(entries, sets, in: catalog)
            let result = try await Self.orphans(search, places, in: catalog.storages)
            (orphans, running) = (result.orphans, running.intersection(result.running))
        }
        let outcome = PrunePlanner(
            policy: policy,
            now: environment.now,
            isRunUnderWay: !running.isEmpty,
            sharesAnyFile: configuration.backup.tables.contains(where: \.skipsIfExists)
        ).outcome(sets)
        let runs = unfinished.filter { running.contains(ByteKey($0.id)) }.map { run in
            PrunePlan.PlannedSet(
                id: run.id,
                status: run.isCrashed ? "crashed" : "running",
                reasons: [run.isCrashed ? .killed : .underWay],
                files: 0,
                size: 0
            )
        }
        return PrunePlan(
            sets: (runs + outcome.sets).sorted { ByteKey($1.id) < ByteKey($0.id) },
            orphans: orphans,
            warnings: outcome.warnings,
            deletions: outcome.deletions,
            catalog: entries
        )
    }

    /// The runs that have not recorded their sets; a removal that was broken off is none.
    private static func unfinishedRuns(
        _ entries: [SetCatalog.Entry],
        in catalog: SetCatalog,
        at now: Date
    ) async throws -> [(id: String, isCrashed: Bool)] {
        let unfinished = entries.filter { $0.record == nil && $0.running != nil }
        let marks = try await unfinished.concurrentMap(limit: 4) { try await catalog.runningMark($0.id) }
        return zip(unfinished, marks).filter { $0.1?.removes != true }.map { entry, mark in
            (entry.id, entry.isCrashed(mark, at: now))
        }
    }

    private func search(
        _ entries: [SetCatalog.Entry],
        _ sets: [PrunableSet],
        in catalog: SetCatalog
    ) throws -> OrphanSearch {
        let own = try OwnPaths(configuration.backup)
        // Paths that are relative to another folder, or locations of another configuration, would make orphans of all files.
        if let newest = sets.first(where: { $0.isComplete && !$0.files.isEmpty }),
            !newest.files.contains(where: { own.moment(of: $0.path) != nil })
        {
            throw DatabudgieError(
                .configuration,
                "none of the files of the set \(newest.id) is in a location of the configuration",
                hint: "look for orphans with the configuration of its backup, and from the same folder"
            )
        }
        let marks = entries.compactMap { entry in entry.running.map { (ByteKey(entry.id), $0) } }
        return OrphanSearch(
            own: own,
            catalog: catalog.folder,
            sets: Set(sets.map { ByteKey($0.id) }),
            oldest: sets.map(\.moment).min(),
            named: NamedFiles(sets),
            marks: Dictionary(marks, uniquingKeysWith: { first, _ in first }),
            strays: entries.filter { $0.record == nil && $0.running == nil }.compactMap(\.verification),
            limit: environment.now.addingTimeInterval(-Self.age)
        )
    }

    /// Lists each folder once.
    private static func orphans(
        _ search: OrphanSearch,
        _ places: CleanupPlaces,
        in storages: StorageRouter
    ) async throws -> OrphanSearch.Found {
        let found = try await places.folders.concurrentMap { folder in
            let storage = storages.storage(for: folder)
            let files = try await storage.list(folder, recursive: true)
            let writes = try await storage.unfinishedWrites(folder, before: .distantFuture)
            return (files, writes.filter { places.isOurs($0.path) })
        }
        let files = found.flatMap(\.0)
        try await refuseOtherCatalogs(search.possibleRecords(files), in: storages)
        return search.result(files, found.flatMap(\.1))
    }

    /// The sets of another catalog would be orphans of this one.
    private static func refuseOtherCatalogs(_ ids: [StoragePath: String], in storages: StorageRouter) async throws {
        for (folder, id) in ids.sorted(by: { $0.key < $1.key }) {
            let other = SetCatalog(folder: folder, storages: storages)
            guard (try? await other.record(id)) != nil else { continue }
            throw DatabudgieError(
                .configuration,
                "\(folder) is another set catalog in the locations of the configuration, whose sets would be orphans",
                hint: "move its records into the catalog that the configuration uses, or use 'catalog' to name it"
            )
        }
    }

    /// Removes files first, and the marks that say whose they are afterwards.
    private static func remove(_ orphans: [Orphan], from storages: StorageRouter) async throws {
        func paths(_ isMark: Bool) -> [StoragePath] {
            orphans.compactMap { orphan in
                if case .file(let path) = orphan.content, (orphan.kind == .brokenRun) == isMark { path } else { nil }
            }
        }
        await FailPoint.reached(.orphansUnremoved)
        try Task.checkCancellation()
        try await storages.delete(paths(false))
        for orphan in orphans {
            guard case .write(let leftover) = orphan.content else { continue }
            try Task.checkCancellation()
            try await storages.storage(for: leftover.write.path).discard(leftover.write)
        }
        await FailPoint.reached(.orphanFilesRemoved)
        try Task.checkCancellation()
        try await storages.delete(paths(true))
        await FailPoint.reached(.orphansRemoved)
    }
}
