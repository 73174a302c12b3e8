import FoundationEssentials

/// What requests are signed with.
struct Credentials: Sendable, Equatable {
    var accessKeyID: String
    var secretAccessKey: String
    var sessionToken: String?
    /// When they stop being valid; nil when they do not.
    var expiration: Date?
    /// Where they were found, in words that an error message can use.
    var source: String
}

extension Credentials: CustomStringConvertible, CustomReflectable {
    var description: String { "credentials from \(source)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// One place where credentials may be found.
protocol CredentialProvider: Sendable {
    /// The place, in words that a list of places can use.
    var place: String { get }

    /// Looks there.
    /// - Returns: The credentials, or nil when this place has none and the next should be asked.
    /// - Throws: `StorageError` when the place is meant to have credentials but cannot give them.
    func credentials() async throws -> Credentials?
}
