/// Where the definitions come from that a restore runs, and who runs them.
public struct DefinitionSource: Sendable, Equatable {
    /// The folders that the files are below, local or `s3://`.
    public let locations: [String]
    /// How many files there are.
    public let fileCount: Int
    /// The role that runs them.
    public let role: String
    /// The role is a superuser, so the files can do anything at all on the server.
    public let isSuperuser: Bool
}
