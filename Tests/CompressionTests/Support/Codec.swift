@testable import Compression

/// A file as a writer returned it.
struct EncodedFile {
    var bytes: [UInt8] = []
    var segments: [Segment] = []

    /// The bytes of one segment.
    func bytes(of segment: Segment) -> [UInt8] {
        Array(bytes[Int(segment.offset)..<Int(segment.offset + segment.bytes)])
    }
}

/// Compresses chunks; the lines in each are counted as its rows.
func encode(
    _ chunks: [[UInt8]],
    as format: CompressionFormat?,
    level: Int? = nil,
    segmentSize: Int64 = SegmentWriter.standardSegmentSize,
    scratchSize: Int = 256 * 1024
) throws -> EncodedFile {
    let writer = try SegmentWriter(format: format, level: level, segmentSize: segmentSize, scratchSize: scratchSize)
    var file = EncodedFile()
    for chunk in chunks {
        file.bytes += try writer.append(chunk, rows: chunk.count { $0 == UInt8(ascii: "\n") }).bytes
    }
    file.bytes += try writer.finish().flatMap(\.bytes)
    file.segments = writer.segments
    return file
}

/// A member or frame with the content of all chunks, as other tools write it: it announces nothing.
func encodeBare(_ chunks: [[UInt8]], as format: CompressionFormat, segmentSize: Int64 = .max) throws -> [UInt8] {
    let file = try encode(chunks, as: format, segmentSize: segmentSize)
    let segment = file.bytes(of: file.segments[0])
    switch format {
    case .gzip: return segment[..<3] + [0] + segment[4..<10] + segment[GzipMark.header(.announcement).count...]
    case .zstd: return Array(segment[ZstdMark.frame(.announcement).count...])
    }
}

/// Decompresses a file that arrives in pieces of `inputSize`.
func decode(
    _ bytes: [UInt8],
    inputSize: Int = 64 * 1024,
    outputSize: Int = 256 * 1024,
    isWholeFile: Bool = true
) throws -> [UInt8] {
    let reader = ContentReader(chunkSize: outputSize, isWholeFile: isWholeFile)
    var content: [UInt8] = []
    for chunk in bytes.split(into: inputSize) {
        try reader.push(chunk)
        while let piece = try reader.next() { content += piece }
    }
    try reader.finish()
    while let piece = try reader.next() { content += piece }
    return content
}

/// The error that decompressing throws; nil when it throws none.
func decodingError(_ bytes: [UInt8], inputSize: Int = 64 * 1024) -> CompressionError? {
    do throws(any Error) {
        _ = try decode(bytes, inputSize: inputSize)
        return nil
    } catch {
        return error as? CompressionError
    }
}

/// A sequence of chunks that can be read once.
struct ChunkSequence: AsyncSequence {
    struct SourceError: Error {}

    var chunks: [[UInt8]]
    var fails = false

    struct AsyncIterator: AsyncIteratorProtocol {
        var remaining: ArraySlice<[UInt8]>
        let fails: Bool

        mutating func next() async throws -> [UInt8]? {
            if remaining.isEmpty && fails { throw ChunkSequence.SourceError() }
            return remaining.popFirst()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(remaining: chunks[...], fails: fails) }
}
