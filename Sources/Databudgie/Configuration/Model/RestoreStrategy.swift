/// How a restore chooses the file to read.
public enum RestoreStrategy: String, Sendable, CaseIterable {
    /// The newest `{timestamp}` or `{date}` in the name.
    case useLatestFilename = "use_latest_filename"
    /// The newest modification time.
    case useLatestMetadata = "use_latest_metadata"
    /// The newest complete backup set that has every table that is asked for.
    case useLatestSet = "use_latest_set"
}
