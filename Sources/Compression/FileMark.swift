import CISAL

/// What a compressed file says about itself, beside its content.
///
/// A file that ends too early, exactly between two segments, is valid gzip or zstd. Hence the first segment announces that
/// the last one, which is empty, has the totals, and a file that breaks its word is incomplete. In a gzip member a mark is
/// a subfield of the header's extra field (RFC 1952, section 2.3.1.1), in a zstd file a skippable frame (RFC 8878, section
/// 3.1.2); every other tool ignores both. Documentation/storage.md has the layout.
enum FileMark: Equatable {
    case announcement
    case totals(FileTotals)
}

extension FileMark {
    /// The bytes that no other tool's mark begins with.
    private static let tag = Array("databudgie".utf8)
    private static let announcementKind: UInt8 = 1
    private static let totalsKind: UInt8 = 2

    /// What the totals begin with.
    static let totalsPrefix = tag + [totalsKind]

    /// No mark of ours is longer, in bytes.
    static let maximumSize = 64

    /// The mark's bytes, without the container of the format.
    var payload: [UInt8] {
        switch self {
        case .announcement: return Self.tag + [Self.announcementKind]
        case .totals(let totals):
            let bytes =
                Self.totalsPrefix + littleEndianBytes(UInt64(bitPattern: totals.rows))
                + littleEndianBytes(UInt64(bitPattern: totals.bytes))
            return bytes + littleEndianBytes(Self.checksum(bytes))
        }
    }

    /// Reads a mark.
    ///
    /// - Parameters:
    ///   - payload: The content of a subfield or a skippable frame.
    ///   - format: The format of the file.
    ///   - offset: The position of the end of the payload in the file, in bytes.
    /// - Returns: The mark; nil if the payload belongs to another tool.
    /// - Throws: An error with code `corrupt`, or `unsupported` if a later version has written it.
    static func read(
        _ payload: ArraySlice<UInt8>,
        _ format: CompressionFormat,
        at offset: Int64
    ) throws(CompressionError) -> FileMark? {
        guard payload.starts(with: tag) else { return nil }
        let content = payload.dropFirst(tag.count)
        switch (content.first, content.count) {
        case (announcementKind, 1): return .announcement
        case (totalsKind, 1 + 8 + 8 + 4):
            guard littleEndian(payload.suffix(4), as: UInt32.self) == checksum(Array(payload.dropLast(4))) else {
                throw .corrupt(format.rawValue, reason: "the checksum of the totals is wrong", offset: offset)
            }
            let rows = littleEndian(content.dropFirst(1).prefix(8), as: UInt64.self)
            let bytes = littleEndian(content.dropFirst(9).prefix(8), as: UInt64.self)
            return .totals(FileTotals(rows: Int64(bitPattern: rows), bytes: Int64(bitPattern: bytes)))
        default:
            throw .unsupported(
                "the \(format.rawValue) data has a mark that this version does not know",
                hint: "restore it with a newer version of databudgie, or use another backup",
                offset: offset
            )
        }
    }

    /// CRC-32, as in gzip's trailer (RFC 1952, section 8).
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            // The library reads the input only; its declaration merely lacks a `const`.
            unsafe crc32_gzip_refl(0, UnsafeMutablePointer(mutating: buffer.baseAddress), UInt64(buffer.count))
        }
    }
}

/// The bytes of a number, lowest first.
func littleEndianBytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

/// The number whose bytes these are, lowest first.
func littleEndian<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, as type: Number.Type) -> Number {
    bytes.reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
}
