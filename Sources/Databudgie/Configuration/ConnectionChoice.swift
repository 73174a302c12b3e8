import Postgres

extension Configuration {
    /// What a command has in common with the other one.
    func run(for action: RunKind) -> RunConfiguration {
        switch action {
        case .backup: backup.run
        case .restore: restore.run
        }
    }

    /// The database of a command.
    ///
    /// - Throws: ``DatabudgieError`` with the code `configuration` when none is configured, when the configuration asks
    ///   for something that is not supported yet, or when its manifest is no table's name.
    func connection(for action: RunKind) throws -> ConnectionParameters {
        let unsupported = unsupportedFeatures(for: action)
        guard unsupported.isEmpty else { throw DatabudgieError(.configuration, unsupported) }
        _ = try manifest(for: action)
        guard let connection = run(for: action).connection else {
            throw DatabudgieError(
                .configuration,
                "No database to connect to: give 'url' or 'connection' under '\(action.rawValue)', or --url."
            )
        }
        return connection
    }
}
