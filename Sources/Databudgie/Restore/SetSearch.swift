import Foundation
import Postgres
import Storage

/// Finds the set that a restore reads.
struct SetSearch {
    let session: Session
    let configuration: RestoreConfiguration
    /// The data files that the run which is resumed has loaded.
    var loaded: Set<StoragePath> = []
    /// Reads the target's tables, and the schema of names without one; no tables when they are not known, or when
    /// definitions create what is not there.
    let target: () async throws -> (catalog: DatabaseCatalog?, defaultSchema: String)

    init(
        session: Session,
        configuration: RestoreConfiguration,
        target: @escaping () async throws -> (catalog: DatabaseCatalog?, defaultSchema: String)
    ) {
        self.session = session
        self.configuration = configuration
        self.target = target
    }

    private var settings: RunSettings { session.settings }
    /// How many records are read at once.
    private static let parallelReads = 4

    /// Chooses the set, and says which one it is.
    ///
    /// - Returns: nil when files are chosen by their names, because every entry says so or because there is no set.
    /// - Throws: ``DatabudgieError`` when no set is what is asked for, or the record of one is damaged; `StorageError`.
    func run() async throws -> RestoreSet? {
        let masks = RequiredMasks(configuration)
        guard let (set, record) = try await search() else {
            try masks.check(nil)
            return nil
        }
        try masks.check(record)
        return set
    }

    private func search() async throws -> (RestoreSet, SetRecord)? {
        let entries = configuration.tables
        guard takesSetForDefinitions || entries.contains(where: \.takesSet) else { return nil }
        guard let folder = settings.catalog else {
            try checkWithoutSets("the locations have no folder in common")
            return nil
        }
        let catalog = SetCatalog(folder: folder, storages: session.storages)
        guard let sets = try await sets(in: catalog) else { return nil }
        guard !sets.isEmpty else {
            try checkWithoutSets("there is no set in \(folder)")
            return nil
        }
        let (tables, defaultSchema) = try await target()
        let choice = SetChoice(
            entries,
            catalog: tables,
            defaultSchema: defaultSchema,
            needsDefinitions: takesSetForDefinitions
        )
        let (record, reason) = try await find(choice, sets, catalog)
        var set = try RestoreSet(record, paths: catalog.paths, defaultSchema: defaultSchema)
        set.reason = reason
        session.recorder.restoring(
            RestoredSet(
                id: set.id,
                age: RunTimestamp(id: set.id).map { .seconds(settings.timestamp.moment.timeIntervalSince($0.moment)) },
                tables: record.totals.tables
            )
        )
        return (set, record)
    }

    /// All sets, newest first.
    ///
    /// - Returns: nil when the role is not allowed to list the folder, and nothing says that there are sets: a role that
    ///   restored files of older versions need not have that permission.
    private func sets(in catalog: SetCatalog) async throws -> [SetCatalog.Entry]? {
        do {
            return try await catalog.entries().filter { $0.record != nil }
        } catch let error as StorageError where error.code == .accessDenied {
            guard settings.set == .newest, configuration.run.catalog == nil, placeOfStrategy == nil else { throw error }
            session.recorder.found(
                .warning(
                    "whether there are sets is not known, so files are chosen by their names: \(error.message)",
                    hint: "allow listing \(catalog.folder), or set 'strategy: use_latest_filename'"
                )
            )
            return nil
        }
    }

    /// Where a set is asked for.
    private var placeOfStrategy: String? {
        let isAsked = settings.definitions.isEnabled && settings.definitions.strategy == .useLatestSet
        return configuration.tables.first { $0.strategy == .useLatestSet }?.options.place ?? (isAsked ? "ddl" : nil)
    }

    private var takesSetForDefinitions: Bool { settings.definitions.isEnabled && settings.definitions.takesSet }

    /// Nothing is wrong without sets, unless one is asked for.
    private func checkWithoutSets(_ reason: String) throws {
        if let option = settings.set.option {
            throw DatabudgieError(
                .configuration,
                "\(option) names a set, but \(reason)",
                hint: "name the folder of the set records under 'catalog', or remove the option"
            )
        }
        guard let place = placeOfStrategy else { return }
        throw DatabudgieError(
            .preflight,
            "\(place): 'strategy: use_latest_set' needs a set, but \(reason)",
            hint: "name the folder of the set records under 'catalog', or remove the strategy"
        )
    }

    private func find(
        _ choice: SetChoice,
        _ entries: [SetCatalog.Entry],
        _ catalog: SetCatalog
    ) async throws -> (record: SetRecord, reason: String) {
        switch settings.set {
        case .id(let text):
            let (id, passedOver) = try await catalog.find(text)
            passedOver.forEach(session.recorder.found)
            return (try demanded(try await catalog.record(id), choice), "it is asked for by --set")
        case .newest:
            if let record = try await resumed(entries.map(\.id), catalog) {
                return (record, "the run that is resumed has read it")
            }
            return (
                try await newest(choice, entries, entries.map(\.id), catalog), "the newest one that has everything"
            )
        case .asOf(let moment):
            let limit = RunTimestamp(moment).timestamp
            let older = entries.filter { $0.id <= limit }
            guard !older.isEmpty else {
                throw DatabudgieError(
                    .configuration,
                    "there is no set of \(limit) or before in \(catalog.folder): the oldest is \(entries.last?.id ?? "")",
                    hint: "choose a later time; times without an offset are in UTC"
                )
            }
            let record = try await newest(choice, older, entries.map(\.id), catalog)
            return (record, "the newest one of \(limit) or before that has everything")
        }
    }

    /// Refuses a set that was asked for and does not have what is asked for.
    private func demanded(_ record: SetRecord, _ choice: SetChoice) throws -> SetRecord {
        if let newer = record.supersededBy {
            throw DatabudgieError(
                .preflight,
                "the set \(record.id) is not whole any more: the set \(newer) has replaced files of it",
                hint: "restore \(newer), and use {timestamp} in names of files to keep older sets"
            )
        }
        let missing = choice.missing(in: record)
        guard missing.isEmpty else {
            throw DatabudgieError(
                .preflight,
                "the set \(record.id) lacks \(missing.listed())",
                hint: "choose another set, or restore fewer tables"
            )
        }
        return record
    }

    // MARK: - The newest one

    /// The set that the run which is resumed has read; nil when there is none.
    private func resumed(_ ids: [String], _ catalog: SetCatalog) async throws -> SetRecord? {
        guard !loaded.isEmpty else { return nil }
        var best: (count: Int, record: SetRecord)?
        for chunk in ids.batches(of: Self.parallelReads) {
            for record in try await chunk.concurrentMap({ try await Self.record($0, catalog) }) {
                guard let record, record.supersededBy == nil else { continue }
                let count = record.tables.count { table in
                    table.file.flatMap { try? catalog.paths.path(of: $0.path) }.map(loaded.contains) ?? false
                }
                if count > best?.count ?? 0 { best = (count, record) }
                if count == loaded.count { return record }
            }
        }
        return best?.record
    }

    /// The newest set that has everything, and a warning about newer ones that do not.
    private func newest(
        _ choice: SetChoice,
        _ entries: [SetCatalog.Entry],
        _ allIDs: [String],
        _ catalog: SetCatalog
    ) async throws -> SetRecord {
        var skipped: [String] = []
        var others: Set<QualifiedName>?
        var chunks = [Array(entries.prefix(1))]
        chunks += Array(entries.dropFirst()).batches(of: Self.parallelReads)
        for chunk in chunks {
            let records = try await chunk.concurrentMap { try await Self.readable($0.id, catalog) }
            for (entry, record) in zip(chunk, records) {
                guard case .record(let record) = record else {
                    if case .later(let reason) = record { skipped.append("the set \(entry.id) \(reason)") }
                    continue
                }
                var flaw = SetChoice.flaw(of: record)
                if flaw == nil {
                    var missing = choice.missing(in: record)
                    if missing.isEmpty, choice.needsOthers(for: record) {
                        if others == nil { others = try await names(choice, allIDs, catalog) }
                        missing = choice.missing(in: record, of: others ?? [])
                    }
                    if !missing.isEmpty { flaw = "lacks \(missing.listed())" }
                }
                if flaw == nil, try await catalog.isDamaged(entry) {
                    flaw = "is damaged, as its last verification has found"
                }
                guard let flaw else {
                    warn(skipped, record.id)
                    return record
                }
                skipped.append("the set \(entry.id) \(flaw)")
            }
        }
        throw DatabudgieError(
            .preflight,
            "no set in \(catalog.folder) has everything that is asked for: \(skipped.first ?? "")",
            hint:
                "back up again, restore fewer tables, choose a set by --set, or set 'strategy: use_latest_filename' to "
                + "read the newest file of each table"
        )
    }

    private func warn(_ skipped: [String], _ id: String) {
        guard !skipped.isEmpty else { return }
        session.recorder.found(
            .warning(
                "\(skipped.listed(separator: "; ")); restoring from the set \(id)",
                hint: "choose another set by --set"
            )
        )
    }

    private enum Readable: Sendable {
        case record(SetRecord)
        /// A later version has written it.
        case later(String)
    }

    private static func readable(_ id: String, _ catalog: SetCatalog) async throws -> Readable {
        do {
            return .record(try await catalog.record(id))
        } catch let error as DatabudgieError {
            guard let later = error.underlying as? SetRecord.LaterFormat else { throw error }
            return .later("is of \(later.tool), which this version cannot read")
        }
    }

    /// A record, if it can be read.
    private static func record(_ id: String, _ catalog: SetCatalog) async throws -> SetRecord? {
        let result = try await FileFailure.result { try await catalog.record(id) }
        return try? result.get()
    }

    /// What the complete sets of the catalog have.
    private func names(_ choice: SetChoice, _ ids: [String], _ catalog: SetCatalog) async throws -> Set<QualifiedName> {
        var names: Set<QualifiedName> = []
        for chunk in ids.batches(of: Self.parallelReads) {
            // What is wrong with a set that is not restored is no concern of this restore.
            for record in try await chunk.concurrentMap({ try await Self.record($0, catalog) }) {
                if let record, record.status == .complete { names.formUnion(choice.names(in: record)) }
            }
        }
        return names
    }
}

extension DefinitionConfiguration {
    /// Definitions are those of a set, when there is one.
    var takesSet: Bool { strategy == nil || strategy == .useLatestSet }
}
