/// The content of a file, decompressed while it is read.
///
/// Returned by `decompressed()`. It can be read once if its base can be read only once. Decompressing takes place in `next()`, on the executor of the
/// caller: iterate in `@concurrent` functions.
public struct DecompressedBytes<Base: AsyncSequence>: AsyncSequence where Base.Element == [UInt8] {
    /// A piece of the content; never empty, and never larger than 256 KiB.
    public typealias Element = [UInt8]

    fileprivate let base: Base
    fileprivate let isWholeFile: Bool

    /// Begins to read the base.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.makeAsyncIterator(), isWholeFile: isWholeFile)
    }

    /// The reader of the content.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var base: Base.AsyncIterator
        private let reader: ContentReader
        private var isFinished = false

        /// Whether the file's beginning, as far as it was read, announces that its end has totals: files of ours do.
        public var announcesTotals: Bool { reader.announcesTotals }

        /// What the file holds, as its end says; nil before the end, and for files that do not say.
        ///
        /// The bytes were compared with it. The rows are for the caller to compare, who knows what a row is.
        public var totals: FileTotals? { reader.totals }

        fileprivate init(base: Base.AsyncIterator, isWholeFile: Bool) {
            self.base = base
            reader = ContentReader(isWholeFile: isWholeFile)
        }

        /// Reads and decompresses the next piece.
        ///
        /// - Returns: Up to 256 KiB of the content; nil at its end, which is reached only when all of the file was read
        ///   and found to be whole.
        /// - Throws: `CompressionError`, or an error of the base.
        public mutating func next() async throws -> [UInt8]? {
            try await next(isolation: #isolation)
        }

        /// Reads and decompresses the next piece.
        ///
        /// - Parameter actor: The actor to run on.
        /// - Returns: Up to 256 KiB of the content; nil at its end, which is reached only when all of the file was read
        ///   and found to be whole.
        /// - Throws: `CompressionError`, or an error of the base.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            do {
                while true {
                    if let content = try reader.next() { return content }
                    guard !isFinished else { return nil }
                    if let chunk = try await base.next(isolation: actor) {
                        try reader.push(chunk)
                    } else {
                        isFinished = true
                        try reader.finish()
                    }
                }
            } catch {
                isFinished = true
                throw error
            }
        }
    }
}

extension DecompressedBytes: Sendable where Base: Sendable {}

extension AsyncSequence where Element == [UInt8] {
    /// The content of the file whose bytes this sequence returns.
    ///
    /// The file's first bytes show its format: gzip, zstd, or text, which passes through. Files of other tools are read
    /// too: any number of gzip members with names, comments and checksums in their headers, zeros after the last one; any
    /// number of zstd frames with windows up to 128 MiB, skippable ones among them. All checksums and sizes are verified.
    /// Unlike `gzip`, which only warns, this refuses anything else after the last member: it may be a damaged one.
    /// A file that ``SegmentWriter`` has written must end with the totals that it announces, and nothing may follow them.
    ///
    /// A file that was cut off exactly between two members is a valid file: only its size or its number of rows, recorded
    /// elsewhere, shows that something is missing.
    ///
    /// Memory stays below a megabyte, whatever the file expands to, plus the window of zstd frames (0.5 MiB in ours).
    ///
    /// - Parameter isWholeFile: False for segments of a file, which are read without its totals.
    /// - Returns: The content. Its iterator throws `CompressionError`: `truncated` when the file ends too early, `corrupt`
    ///   when it is damaged, `trailingData` when something else follows, `unsupported` when it is in another format (bzip2,
    ///   xz, zip, …) or compressed twice.
    public func decompressed(isWholeFile: Bool = true) -> DecompressedBytes<Self> {
        DecompressedBytes(base: self, isWholeFile: isWholeFile)
    }
}
