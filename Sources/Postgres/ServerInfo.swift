/// What is known about a server once a connection to it is open.
public struct ServerInfo: Sendable, Hashable {
    /// The version as a number, 150018 for 15.18.
    public var versionNumber: Int
    /// The version as the server writes it, for example `15.18 (Debian 15.18-1.pgdg120+1)`.
    public var version: String
    /// The host's name or address, or the folder of the unix socket.
    public var host: String
    /// The numeric address that the connection was made to; empty for a unix socket.
    public var address: String
    /// Whether the address was given (`hostaddr`), so that the host's name had no part in finding the server.
    public var hasGivenAddress: Bool
    /// The port.
    public var port: String
    /// The database.
    public var database: String
    /// The user.
    public var user: String
    /// The database's encoding, for example `UTF8`.
    public var encoding: String
    /// The process on the server that serves this connection, as in `pg_stat_activity.pid`.
    public var processID: Int
    /// Whether the connection is encrypted by TLS.
    public var usesTLS: Bool

    /// The version before the dot: 15 for 15.18.
    public var majorVersion: Int {
        versionNumber / 10_000
    }
}
