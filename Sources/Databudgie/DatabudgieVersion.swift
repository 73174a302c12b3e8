/// The version of databudgie, for the program and for reports.
public enum DatabudgieVersion {
    /// The version, in the form of Semantic Versioning.
    public static let current = "3.0.0-alpha.1"
}
