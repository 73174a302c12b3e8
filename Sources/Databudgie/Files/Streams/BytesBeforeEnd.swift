import Storage

/// Bytes on their way into a file, with something to do before their end: the file is published only after it.
struct BytesBeforeEnd<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == [UInt8] {
    typealias Element = [UInt8]

    private let base: Base
    private let beforeEnd: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - base: The bytes.
    ///   - beforeEnd: Runs when all of them have passed; the sequence fails with its error.
    init(_ base: Base, beforeEnd: @escaping @Sendable () async throws -> Void) {
        (self.base, self.beforeEnd) = (base, beforeEnd)
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), beforeEnd: beforeEnd)
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: Base.AsyncIterator
        fileprivate let beforeEnd: @Sendable () async throws -> Void
        fileprivate var isFinished = false

        mutating func next() async throws -> [UInt8]? {
            guard !isFinished else { return nil }
            if let chunk = try await base.next(isolation: #isolation) { return chunk }
            isFinished = true
            try await beforeEnd()
            return nil
        }
    }
}

extension BytesBeforeEnd: ForeseeableBytes {
    var expectedBytes: Int64? { (base as? any ForeseeableBytes)?.expectedBytes }
}
