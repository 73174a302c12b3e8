/// The version of databudgie, for the program and for reports.
public enum DatabudgieVersion {
    /// The version, in the form of Semantic Versioning.
    public static let current = "3.0.0-alpha.1"
    /// What files say has written them: the program and its version.
    static let tool = "databudgie \(current)"
}
