/// How a mark is kept in a zstd file: as a skippable frame (RFC 8878, section 3.1.2).
enum ZstdMark {
    /// One of the sixteen kinds of skippable frames; pzstd (0) and the seekable format (14) use others.
    static let magic: UInt32 = 0x184D_2A5B

    static func frame(_ mark: FileMark) -> [UInt8] {
        let payload = mark.payload
        return littleEndianBytes(magic) + littleEndianBytes(UInt32(payload.count)) + payload
    }
}
