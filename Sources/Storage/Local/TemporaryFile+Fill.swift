extension TemporaryFile {
    /// Written bytes after which the system is asked to bring them to the disk.
    fileprivate static let flushInterval: Int64 = 16 << 20

    /// Pulls the source and writes at the same time, with one chunk under way.
    ///
    /// - Parameters:
    ///   - file: An empty file.
    ///   - bytes: The content.
    ///   - flushes: The system is asked to begin writing to the disk meanwhile.
    /// - Returns: The number of bytes.
    /// - Throws: The source's own error, `StorageError` or `CancellationError`.
    static func fill<Bytes: AsyncSequence & Sendable>(
        _ file: TemporaryFile,
        from bytes: Bytes,
        flushes: Bool = true
    ) async throws -> Int64 where Bytes.Element == [UInt8] {
        var offset: Int64 = 0
        var gathered: [UInt8] = []
        var writing: Task<Void, any Error>?
        func begin(_ chunk: [UInt8]) async throws {
            try await writing?.value
            let start = offset
            offset += Int64(chunk.count)
            let end = offset
            writing = Task {
                try await BlockingWork.run {
                    try file.write(chunk, at: start)
                    guard flushes else { return }
                    let (done, now) = (start / Self.flushInterval, end / Self.flushInterval)
                    if done < now {
                        file.startFlushing(from: done * Self.flushInterval, count: (now - done) * Self.flushInterval)
                    }
                }
            }
        }
        do {
            for try await chunk in bytes {
                try Task.checkCancellation()
                if gathered.isEmpty, chunk.count >= StorageBytes.chunkSize {
                    try await begin(chunk)
                } else {
                    gathered += chunk
                    guard gathered.count >= StorageBytes.chunkSize else { continue }
                    try await begin(gathered)
                    gathered = []
                }
            }
            try await begin(gathered)
            try await writing?.value
            return offset
        } catch {
            // The file is removed next: nothing may write to its descriptor any more.
            _ = await writing?.result
            throw error
        }
    }
}
