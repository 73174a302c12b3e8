import CISAL

/// A parser of the header of a gzip member, fed a byte at a time (RFC 1952, section 2.3).
///
/// ISA-L's own parser loses its place when a header with a name and more is split between two chunks.
struct GzipHeader {
    private enum Field {
        case fixed, extraLength, extra, name, comment, checksum, done
    }

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let checksum = Flags(rawValue: 1 << 1)
        static let extra = Flags(rawValue: 1 << 2)
        static let name = Flags(rawValue: 1 << 3)
        static let comment = Flags(rawValue: 1 << 4)
        static let reserved = Flags(rawValue: 0b1110_0000)
    }

    private static let fixedSize = 10

    private var field = Field.fixed
    private var flags: Flags = []
    private var checksum: UInt32 = 0
    /// The number of bytes of the field that have been read.
    private var count = 0
    /// The value of the two-byte number that is being read.
    private var number = 0
    private var extraLength = 0
    /// The extra field, or its beginning while it is read.
    private(set) var extra: [UInt8] = []

    var isComplete: Bool { field == .done }

    /// Reads the next byte of the header.
    ///
    /// - Returns: Why the header is wrong; nil if it is not.
    mutating func read(_ byte: UInt8) -> String? {
        if field != .checksum {
            var byte = byte
            checksum = unsafe crc32_gzip_refl(checksum, &byte, 1)
        }
        count += 1
        switch field {
        case .fixed: return readFixed(byte)
        case .extraLength:
            readNumber(byte)
            if count == 2 {
                extraLength = number
                enter(extraLength > 0 ? .extra : .name)
            }
        case .extra:
            extra.append(byte)
            if count == extraLength { enter(.name) }
        case .name:
            if byte == 0 { enter(.comment) }
        case .comment:
            if byte == 0 { enter(.checksum) }
        case .checksum:
            readNumber(byte)
            if count == 2 {
                guard number == Int(checksum & 0xFFFF) else { return "the checksum of a member's header is wrong" }
                enter(.done)
            }
        case .done: preconditionFailure("read past the end of the header")
        }
        return nil
    }

    private mutating func readFixed(_ byte: UInt8) -> String? {
        switch count {
        case 1 where byte != 0x1F, 2 where byte != 0x8B: return "a member does not begin as it must"
        case 3 where byte != 8: return "a member uses an unknown compression method"
        case 4:
            flags = Flags(rawValue: byte)
            guard flags.isDisjoint(with: .reserved) else { return "a member's header has reserved flags" }
        case Self.fixedSize: enter(.extraLength)
        default: break
        }
        return nil
    }

    private mutating func readNumber(_ byte: UInt8) {
        number |= Int(byte) << (8 * (count - 1))
    }

    /// Continues with a field, or past it to the next one that this header has.
    private mutating func enter(_ next: Field) {
        count = 0
        number = 0
        field = next
        if field == .extraLength && !flags.contains(.extra) { field = .name }
        if field == .name && !flags.contains(.name) { field = .comment }
        if field == .comment && !flags.contains(.comment) { field = .checksum }
        if field == .checksum && !flags.contains(.checksum) { field = .done }
    }
}
