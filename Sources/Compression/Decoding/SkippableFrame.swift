/// A zstd frame without content, after its magic number (RFC 8878, section 3.1.2).
struct SkippableFrame {
    /// The size of the field with the number of bytes that follow, in bytes.
    private static let sizeOfSize = 4

    /// Whether the frame is of the kind that can have a mark of ours.
    private let canHaveMark: Bool
    private var size: [UInt8] = []
    /// The number of bytes that are yet to be read after the size.
    private var remaining = 0

    /// The frame's bytes; empty if it cannot be a mark of ours.
    private(set) var payload: [UInt8] = []

    /// Whether such a frame begins with a magic number; there are sixteen.
    static func begins(with magic: [UInt8]) -> Bool {
        littleEndian(magic[...], as: UInt32.self) & 0xFFFF_FFF0 == 0x184D_2A50
    }

    init(_ magic: [UInt8]) {
        canHaveMark = magic == littleEndianBytes(ZstdMark.magic)
    }

    var isComplete: Bool { size.count == Self.sizeOfSize && remaining == 0 }

    /// Reads as much of the frame as there is.
    mutating func read(_ input: inout CompressedInput) {
        while size.count < Self.sizeOfSize {
            guard let byte = input.popFirst() else { return }
            size.append(byte)
            remaining = Int(littleEndian(size[...], as: UInt32.self))
        }
        let isMark = canHaveMark && littleEndian(size[...], as: UInt32.self) <= FileMark.maximumSize
        guard let bytes = input.take(upTo: remaining) else { return }
        remaining -= bytes.count
        if isMark { payload += bytes }
    }
}
