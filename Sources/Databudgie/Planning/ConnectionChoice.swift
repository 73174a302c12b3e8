import Postgres

extension Configuration {
    /// The database of a command.
    ///
    /// - Throws: ``DatabudgieError`` with the code `configuration` when none is configured, or when the configuration
    ///   asks for something that is not supported yet.
    func connection(for action: RunAction) throws -> ConnectionParameters {
        let unsupported = unsupportedFeatures(for: action)
        guard unsupported.isEmpty else { throw DatabudgieError(.configuration, unsupported) }
        let run = action == .backup ? backup.run : restore.run
        guard let connection = run.connection else {
            throw DatabudgieError(
                .configuration,
                "No database to connect to: give 'url' or 'connection' under '\(action.rawValue)', or --url."
            )
        }
        return connection
    }
}
