import Crypto
public import Storage

/// A small file that a run has written, with its hash.
public struct StoredFile: Sendable, Equatable {
    /// Where it is.
    public let path: StoragePath
    /// Its size, in bytes.
    public let bytes: Int64
    /// SHA-256 of its bytes (FIPS 180-4), 32 bytes.
    public let sha256: [UInt8]

    init(_ path: StoragePath, content: [UInt8]) {
        self.path = path
        bytes = Int64(content.count)
        sha256 = Array(SHA256.hash(data: content))
    }
}
