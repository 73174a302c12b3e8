import Glibc
import Synchronization
import SystemPackage

/// A local file that is written in pieces, each under a temporary name of its own.
///
/// The first piece's file becomes the whole: as soon as all pieces before another one are in it, that one is copied to its end
/// by the kernel, and its own file is removed. So hardly more than the pieces that are being written takes space twice, and
/// when the last piece is finished little is left to do.
final class LocalPieces: PiecewiseWrite {
    /// A piece whose file is complete.
    fileprivate struct Piece {
        let file: TemporaryFile
        let bytes: Int64
    }

    private struct State {
        /// The pieces that are complete and not laid yet.
        var waiting: [Int: Piece] = [:]
        /// How many pieces are laid.
        var laid = 0
        /// The file of those, without the first piece nil.
        var whole: Piece?
        /// Somebody is laying a piece.
        var isLaying = false
        var isPublished = false

        /// The next piece to be laid, unless somebody lays one.
        mutating func takeNext() -> Piece? {
            guard !isLaying, let piece = waiting.removeValue(forKey: laid) else { return nil }
            isLaying = true
            return piece
        }
    }

    private let target: String
    private let ifExists: ExistingFile
    private let count: Int
    private let calls: LocalCalls
    private let state = Mutex(State())

    private init(_ target: String, _ ifExists: ExistingFile, _ count: Int, _ calls: LocalCalls) {
        (self.target, self.ifExists, self.count, self.calls) = (target, ifExists, count, calls)
    }

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - target: The local path that the file will have.
    ///   - ifExists: What to do when it exists.
    ///   - count: The number of pieces.
    ///   - calls: Calls of the system.
    /// - Returns: Takes the pieces.
    /// - Throws: `StorageError` when it exists and must not, or cannot be written.
    static func begin(
        _ target: String,
        ifExists: ExistingFile,
        count: Int,
        _ calls: LocalCalls
    ) async throws -> LocalPieces {
        try await BlockingWork.run { try TemporaryFile.create(for: target, ifExists: ifExists, calls).discard() }
        return LocalPieces(target, ifExists, count, calls)
    }

    func write<Bytes: AsyncSequence & Sendable>(
        _ piece: Int,
        from bytes: Bytes
    ) async throws where Bytes.Element == [UInt8] {
        let (target, ifExists, calls) = (target, ifExists, calls)
        let file = try await BlockingWork.run { try TemporaryFile.create(for: target, ifExists: ifExists, calls) }
        do {
            // What is copied soon need not get to the disk first.
            let count = try await TemporaryFile.fill(file, from: bytes, flushes: piece == 0)
            try Task.checkCancellation()
            state.withLock { $0.waiting[piece] = Piece(file: file, bytes: count) }
        } catch {
            try? await BlockingWork.run { file.discard() }
            throw error
        }
        try await layPieces()
    }

    func publish(_ end: [UInt8]) async throws -> FileInfo {
        let (laid, whole) = state.withLock { ($0.laid, $0.whole) }
        guard laid == count, let whole else {
            throw StorageError(.inputOutput, "\(target) cannot be written: \(laid) of \(count) pieces are there")
        }
        try Task.checkCancellation()
        let ifExists = ifExists
        let info = try await BlockingWork.run {
            if !end.isEmpty { try whole.file.write(end, at: whole.bytes) }
            return try whole.file.publish(ifExists: ifExists)
        }
        state.withLock { $0.isPublished = true }
        whole.file.close()
        return info
    }

    func discard() async {
        let files = state.withLock { state -> [TemporaryFile] in
            guard !state.isPublished else { return [] }
            defer { (state.waiting, state.whole) = ([:], nil) }
            return state.waiting.values.map(\.file) + (state.whole.map { [$0.file] } ?? [])
        }
        // Blocking work is not cancelled.
        try? await BlockingWork.run { files.forEach { $0.discard() } }
    }

    /// Lays the pieces that are complete and follow the last one that is laid.
    private func layPieces() async throws {
        while let next = state.withLock({ $0.takeNext() }) {
            do {
                let whole = try await lay(next, after: state.withLock { $0.whole })
                state.withLock { state in
                    state.whole = whole
                    state.laid += 1
                    state.isLaying = false
                }
            } catch {
                state.withLock { $0.isLaying = false }
                throw error
            }
        }
    }

    /// Copies a piece to the end of those before it, and removes its file.
    private func lay(_ piece: Piece, after whole: Piece?) async throws -> Piece {
        guard let whole else { return piece }
        let calls = calls
        do {
            return try await BlockingWork.run {
                try piece.copy(to: whole, calls)
                piece.file.discard()
                return Piece(file: whole.file, bytes: whole.bytes + piece.bytes)
            }
        } catch {
            try? await BlockingWork.run { piece.file.discard() }
            throw error
        }
    }
}

extension LocalPieces.Piece {
    /// How much is copied by one call, in bytes.
    private static let stride: Int64 = 64 << 20
    /// How much is copied through this process by one call, in bytes.
    private static let chunk = 1 << 20
    /// What kernels and file systems say that cannot copy, or not between these files, or were interrupted.
    private static let unable: [Errno] = [
        .improperLink, .noFunction, .notSupported, .notSupportedOnSocket, .invalidArgument, .interrupted,
    ]

    /// Copies all bytes to the end of a file.
    fileprivate func copy(to whole: Self, _ calls: LocalCalls) throws {
        do {
            var done: Int64 = 0
            while done < bytes {
                let count = min(Self.stride, bytes - done)
                let range = FileRange(file: file.descriptor, offset: done, count: count)
                let (target, offset) = (whole.file.descriptor, whole.bytes + done)
                let copied = try Self.copied(range, to: target, at: offset, calls)
                // Some file systems find nothing to copy.
                done += copied > 0 ? copied : Int64(try copyChunk(range, to: target, at: offset))
            }
            whole.file.startFlushing(from: whole.bytes, count: bytes)
        } catch {
            throw StorageError.local(error, whole.file.target, "cannot be written")
        }
    }

    /// How many bytes the kernel has copied; 0 if it cannot.
    private static func copied(
        _ range: FileRange,
        to target: FileDescriptor,
        at offset: Int64,
        _ calls: LocalCalls
    ) throws(Errno) -> Int64 {
        do {
            return try calls.copyRange(range, target, offset)
        } catch {
            guard unable.contains(error) else { throw error }
            return 0
        }
    }

    /// Copies some bytes by way of this process.
    private func copyChunk(_ range: FileRange, to target: FileDescriptor, at offset: Int64) throws -> Int {
        let count = min(Self.chunk, Int(range.count))
        let chunk = try [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            used = try range.file.read(
                fromAbsoluteOffset: range.offset,
                into: UnsafeMutableRawBufferPointer(buffer)
            )
        }
        // The file is ours alone: it cannot have become shorter unless the disk is broken.
        guard !chunk.isEmpty else { throw Errno.ioError }
        return try target.writeAll(toAbsoluteOffset: offset, chunk)
    }
}
