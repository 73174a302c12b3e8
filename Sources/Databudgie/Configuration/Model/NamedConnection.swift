public import Postgres

/// One of `connections`.
public struct NamedConnection: Sendable, Equatable {
    /// The name that `connection` and `--connection` select it by.
    public var name: String
    /// How to connect.
    public var parameters: ConnectionParameters

    /// Names a connection.
    ///
    /// - Parameters:
    ///   - name: The name that `connection` and `--connection` select it by.
    ///   - parameters: How to connect.
    public init(name: String, parameters: ConnectionParameters) {
        self.name = name
        self.parameters = parameters
    }
}
