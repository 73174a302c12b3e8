import Foundation
import Storage
import Synchronization

/// Bytes that look random but are the same each time: a wrong order or a missing piece shows.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    let block = (0..<4096).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + block.count)
    while bytes.count < count {
        // Each block begins with its own number.
        bytes += withUnsafeBytes(of: bytes.count.littleEndian, Array.init)
        bytes += block
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}

/// A source of chunks that may fail, or wait for ever, at its end.
struct ByteSource: AsyncSequence, Sendable {
    enum Ending: Sendable {
        case finish
        case fail
        /// Waits until the task is cancelled, after telling that it does.
        case wait(Signal)
    }

    struct Broken: Error, Equatable {}

    var bytes: [UInt8]
    var chunk = 100_000
    var ending: Ending = .finish

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: ByteSource
        var offset = 0

        mutating func next() async throws -> [UInt8]? {
            guard offset < source.bytes.count else {
                switch source.ending {
                case .finish:
                    return nil
                case .fail:
                    throw Broken()
                case .wait(let signal):
                    signal.raise()
                    try await Task.sleep(for: .seconds(3600))
                    return nil
                }
            }
            let end = Swift.min(offset + source.chunk, source.bytes.count)
            defer { offset = end }
            return Array(source.bytes[offset..<end])
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }
}

/// A source that tells when its first chunk was asked for, and gives it when it is told to.
struct GatedBytes: AsyncSequence, Sendable {
    var bytes: [UInt8]
    var reached: Signal
    var resume: Signal

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: GatedBytes
        var isDone = false

        mutating func next() async -> [UInt8]? {
            guard !isDone else { return nil }
            isDone = true
            source.reached.raise()
            await source.resume.wait()
            return source.bytes
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }
}

/// A source that gives all its bytes at once, and fails as soon as something has come true.
struct PolledBytes: AsyncSequence, Sendable {
    var bytes: [UInt8]
    var condition: @Sendable () async throws -> Bool

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: PolledBytes
        var isDone = false

        mutating func next() async throws -> [UInt8]? {
            guard isDone else {
                isDone = true
                return source.bytes
            }
            while !(try await source.condition()) { await Task.yield() }
            throw ByteSource.Broken()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }
}

/// Something that happens once and can be waited for.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func raise() { continuation.finish() }

    func wait() async {
        for await _ in stream {}
    }
}

extension Storage {
    /// Writes bytes that are in memory.
    @discardableResult
    func write(_ path: StoragePath, _ bytes: [UInt8], ifExists: ExistingFile = .replace) async throws -> FileInfo {
        try await write(path, ifExists: ifExists, from: ByteSource(bytes: bytes))
    }

    /// Reads a file, or a part of one, into memory.
    func bytes(_ path: StoragePath, range: Range<Int64>? = nil) async throws -> [UInt8] {
        try await read(path, range: range).collect(upTo: .max)
    }
}
