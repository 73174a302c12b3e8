import Storage

/// The set catalog of a configuration, with the storages that it is in.
struct CatalogAccess: Sendable {
    let configuration: Configuration
    let kind: RunKind
    let environment: RunEnvironment

    /// The folder of the records.
    ///
    /// - Throws: ``DatabudgieError`` when the configuration has none.
    func folder() throws -> StoragePath {
        if let folder = configuration.catalog(for: kind) { return folder }
        let run = configuration.run(for: kind)
        let hasTables =
            switch kind {
            case .backup: !configuration.backup.tables.isEmpty
            case .restore: !configuration.restore.tables.isEmpty
            }
        throw DatabudgieError(
            .configuration,
            hasTables || run.definitions.hasExplicitLocation
                ? "there is no set catalog, because the locations have no folder in common"
                : "there is no set catalog, because the configuration has no tables",
            hint: "name the folder of the set records under 'catalog'"
        )
    }

    /// Opens the storages for the body and closes their connections after it.
    ///
    /// - Parameter body: Uses the catalog, which must not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; ``DatabudgieError`` when the configuration has no catalog.
    func withCatalog<Result>(_ body: (SetCatalog) async throws -> Result) async throws -> Result {
        let (folder, run) = (try folder(), configuration.run(for: kind))
        return try await StorageRouter.withStorages(of: run, in: environment) { storages in
            try await body(SetCatalog(folder: folder, storages: storages))
        }
    }
}
