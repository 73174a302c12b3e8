/// A run in the manifest, by which it can be resumed.
public struct RecordedRun: Sendable, Hashable {
    /// The manifest table, `schema.name`.
    public var manifest: String { key.string }
    /// What the run does.
    public let kind: RunKind
    /// The id to resume the run by: `--backup-id`, `--restore-id`.
    public let id: Int
    /// The manifest's name, compared by bytes.
    private let key: ByteKey

    /// Describes a run.
    ///
    /// - Parameters:
    ///   - manifest: The manifest table, `schema.name`.
    ///   - kind: What the run does.
    ///   - id: The id to resume the run by.
    public init(manifest: String, kind: RunKind, id: Int) {
        key = ByteKey(manifest)
        self.kind = kind
        self.id = id
    }
}
