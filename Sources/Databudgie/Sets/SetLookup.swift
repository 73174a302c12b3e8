import Storage

/// Finds one set of a configuration and reads its record.
///
///     let set = try await SetLookup(configuration).find("latest")
///     print(set.record.tables.count)
public struct SetLookup: Sendable {
    private let access: CatalogAccess

    /// Prepares a lookup; nothing is read before ``find(_:)``.
    ///
    /// - Parameters:
    ///   - configuration: Says where the records are.
    ///   - kind: Whose catalog is searched: that of the configuration's backup or that of its restore.
    ///   - environment: Environment variables and clock.
    public init(
        _ configuration: Configuration,
        for kind: RunKind = .backup,
        environment: RunEnvironment = RunEnvironment()
    ) {
        access = CatalogAccess(configuration: configuration, kind: kind, environment: environment)
    }

    /// Reads the record of a set.
    ///
    /// - Parameter name: `latest`, the newest complete set; an id; or as much of its beginning as no other set has.
    /// - Returns: The set.
    /// - Throws: ``DatabudgieError`` when there is no such set, more than one, or its record cannot be used; `StorageError`;
    ///   `CancellationError`.
    public func find(_ name: String = "latest") async throws -> StoredSet {
        try await access.withCatalog { catalog in
            let (id, passedOver) = try await catalog.find(name)
            let path = catalog.recordPath(of: id)
            let bytes = try await catalog.bytes(of: path)
            return StoredSet(
                record: try SetRecord(json: bytes, at: path.description),
                catalog: catalog.folder,
                json: bytes,
                warnings: passedOver
            )
        }
    }
}
