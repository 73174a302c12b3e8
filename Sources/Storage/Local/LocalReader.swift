import SystemPackage

/// Reads one version of a local file.
///
/// `@unchecked Sendable`: the offset changes only inside `next()`, which the one iterator of `StorageBytes` calls in turn.
final class LocalReader: ChunkReader, @unchecked Sendable {
    let info: FileInfo
    private let path: String
    private let file: OpenFile
    private var descriptor: FileDescriptor { file.descriptor }
    private let end: Int64
    private var offset: Int64

    init(path: String, range: Range<Int64>?) throws {
        do {
            let file = try LocalFile.open(path)
            let status = try file.status()
            guard status.type != .directory else { throw Errno.isDirectory }
            guard status.type == .regular else {
                throw StorageError(
                    .invalidPath,
                    "\(path) is not a regular file",
                    hint: "give another path",
                    path: .local(path)
                )
            }
            let wanted = range ?? 0..<status.size
            guard wanted.upperBound <= status.size else {
                throw StorageError.truncated(.local(path), size: status.size, range: wanted)
            }
            self.file = file
            self.path = path
            info = FileInfo(path: .local(path), status: status)
            offset = wanted.lowerBound
            end = wanted.upperBound
        } catch {
            throw StorageError.local(error, path, "cannot be read")
        }
    }

    func next() async throws -> [UInt8]? {
        try Task.checkCancellation()
        guard offset < end else { return nil }
        let (start, count) = (offset, Int(min(Int64(StorageBytes.chunkSize), end - offset)))
        let chunk = try await BlockingWork.run { [self] in try readChunk(at: start, count: count) }
        offset += Int64(chunk.count)
        return chunk
    }

    private func readChunk(at start: Int64, count: Int) throws -> [UInt8] {
        do {
            let chunk = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count]
                    )
                    let read = try descriptor.read(fromAbsoluteOffset: start + Int64(filled), into: rest)
                    guard read > 0 else { break }
                    filled += read
                }
            }
            let isLast = start + Int64(chunk.count) == end
            guard chunk.count == count, try !isLast || isUnchanged() else {
                throw StorageError(
                    .changedWhileReading,
                    "\(path) was changed while it was being read",
                    hint: "try again when nothing writes to it",
                    path: .local(path)
                )
            }
            return chunk
        } catch {
            throw StorageError.local(error, path, "cannot be read")
        }
    }

    private func isUnchanged() throws -> Bool {
        let now = FileInfo(path: info.path, status: try descriptor.stat())
        return now.version == info.version && now.size == info.size
    }
}

extension StorageError {
    static func truncated(_ path: StoragePath, size: Int64, range: Range<Int64>) -> StorageError {
        StorageError(
            .truncated,
            "\(path) is only \(size) bytes long, but bytes \(range.lowerBound) to \(range.upperBound) were requested",
            hint: "check that the file is the one that was recorded and was not cut off",
            path: path
        )
    }
}
