/// A way to compress data files.
public enum CompressionFormat: String, Sendable, CaseIterable {
    /// Gzip members (RFC 1952), which every gzip tool reads.
    case gzip
    /// Zstandard frames (RFC 8878) with content checksums.
    case zstd

    /// The suffix of the names of files in this format, with its dot.
    public var fileSuffix: String {
        switch self {
        case .gzip: ".gz"
        case .zstd: ".zst"
        }
    }
}
