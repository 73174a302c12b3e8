import Postgres

/// Where a restore is about to write, as the open connection has it, and what it replaces there.
public struct RestoreDestination: Sendable, Equatable {
    /// The host's name or address, or the folder of the unix socket.
    public let host: String
    /// The numeric address that the connection was made to; empty for a unix socket.
    public let address: String
    /// The port.
    public let port: String
    /// The database.
    public let database: String
    /// The tables whose rows are replaced, by their full names, sorted: they are emptied, or dropped and re-created.
    public let replaced: [String]
}

extension RestoreDestination {
    init(_ server: ServerInfo, replacing names: Set<QualifiedName>) {
        self.init(
            host: server.host,
            address: server.address,
            port: server.port,
            database: server.database,
            replaced: names.sorted().map(\.label)
        )
    }
}

/// Has a destination confirmed that `safe_hosts` does not list, before anything is changed.
struct DestinationCheck {
    let configuration: RestoreConfiguration
    /// Asks the user, and throws when the answer is not yes; nil if there is nobody to ask.
    let confirm: (@Sendable (RestoreDestination) async throws -> Void)?

    /// Returns when the restore may go on.
    ///
    /// - Parameters:
    ///   - server: What the connection has reached.
    ///   - names: The tables whose rows the restore replaces.
    /// - Throws: ``DatabudgieError`` when nobody can confirm it; what `confirm` throws.
    func run(_ server: ServerInfo, replacing names: Set<QualifiedName>) async throws {
        guard let patterns = configuration.safeHosts, !configuration.assumesYes, !configuration.run.isDryRun,
            !SafeHosts(patterns).contains(
                host: server.host,
                address: server.address,
                hasGivenAddress: server.hasGivenAddress
            )
        else { return }
        guard let confirm else {
            throw DatabudgieError(
                .configuration,
                "the server at \(server.host) is not one of 'safe_hosts', so the restore has to be confirmed",
                hint: "add the host, or pass --yes"
            )
        }
        try await confirm(RestoreDestination(server, replacing: names))
    }
}
