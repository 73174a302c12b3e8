/// How a mark is kept in a gzip member: as a subfield of the extra field in its header (RFC 1952, section 2.3.1.1).
enum GzipMark {
    /// The two bytes that identify the subfield: `d` and `b`.
    static let subfieldID: [UInt8] = [0x64, 0x62]

    /// The header of a member, with a mark and otherwise as ISA-L writes it: no name, time 0, system unknown.
    static func header(_ mark: FileMark) -> [UInt8] {
        let payload = mark.payload
        let subfield = subfieldID + littleEndianBytes(UInt16(payload.count)) + payload
        return [0x1F, 0x8B, 8, 1 << 2, 0, 0, 0, 0, 0, 0xFF] + littleEndianBytes(UInt16(subfield.count)) + subfield
    }

    /// A member without content, with a mark.
    static func emptyMember(_ mark: FileMark) -> [UInt8] {
        // A last block of fixed codes that has only the end of the block (RFC 1951, section 3.2.3); checksum and size.
        header(mark) + [0x03, 0x00] + [UInt8](repeating: 0, count: 8)
    }

    /// Finds our subfield.
    ///
    /// - Parameter extra: The extra field, which another tool may fill with anything.
    /// - Returns: The payload; nil if there is none.
    static func payload(in extra: [UInt8]) -> ArraySlice<UInt8>? {
        var rest = extra[...]
        while rest.count >= 4 {
            let id = rest.prefix(2)
            let length = Int(littleEndian(rest.dropFirst(2).prefix(2), as: UInt16.self))
            rest = rest.dropFirst(4)
            guard rest.count >= length else { return nil }
            if id.elementsEqual(subfieldID) { return rest.prefix(length) }
            rest = rest.dropFirst(length)
        }
        return nil
    }
}
