package import struct FoundationEssentials.Date

/// As whom a server is asked, without what is secret in it.
package struct S3Identity: Sendable, Equatable {
    /// Where the credentials were found, in words that follow "from".
    package let source: String
    /// When they end; nil when they do not, or when nobody says it.
    package let expiration: Date?
    /// They have a session's token, so they end, whether or not it is known when.
    package let isTemporary: Bool
    /// The server: `https://s3.eu-central-1.amazonaws.com`.
    package let endpoint: String
}

/// What is asked before a run rather than in it.
extension S3Storage {
    /// Looks for credentials, as the first request would.
    /// - Returns: Where they come from, and when they end.
    /// - Throws: ``StorageError`` when there are none, or a setting cannot be used; `CancellationError`.
    package func identity() async throws -> S3Identity {
        let (credentials, endpoint) = try await client.identity()
        return S3Identity(
            source: credentials.source,
            expiration: credentials.expiration,
            isTemporary: credentials.sessionToken != nil,
            endpoint: endpoint
        )
    }

    /// How far the server's clock is ahead of this machine's by its last reply, in seconds and to the second; nil before the
    /// first reply.
    package var clockDifference: Double? { client.clockDifference }

    /// Finds out whether the server itself refuses to replace a file, by writing one once more, as it is.
    /// - Parameters:
    ///   - path: A file that exists.
    ///   - content: What is in it.
    /// - Returns: Whether it refuses (`If-None-Match: *`). If not, ``ExistingFile/fail`` looks before it writes.
    /// - Throws: ``StorageError`` or `CancellationError`.
    package func refusesToReplace(_ path: StoragePath, _ content: [UInt8]) async throws -> Bool {
        let (bucket, key) = try object(path)
        return try await upload(bucket, key, .fail).isRefused(content)
    }
}
