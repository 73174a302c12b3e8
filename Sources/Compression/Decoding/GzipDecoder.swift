import CISAL

/// A decoder of gzip files: one member after another, and zeros after the last, which gzip tools tolerate too.
///
/// Safe: `state` is owned by this object and lives as long as it does; the pointers to input and output that it holds are
/// set before every call of the library, which does not use them afterwards.
@safe final class GzipDecoder: StreamDecoder {
    private enum Phase {
        case header
        case content
        case afterMember
        case padding
    }

    private static let format = CompressionFormat.gzip.rawValue

    private(set) var seal: FileSeal
    private let state: UnsafeMutablePointer<inflate_state>
    private var phase = Phase.header
    private var header = GzipHeader()

    init(seal: FileSeal) {
        self.seal = seal
        unsafe state = .allocate(capacity: 1)
        unsafe isal_inflate_init(state)
    }

    deinit {
        unsafe state.deallocate()
    }

    func decode(_ input: inout CompressedInput, to output: ScratchBuffer) throws(CompressionError) {
        while output.freeCount > 0 {
            switch phase {
            case .header:
                guard let byte = input.popFirst() else { return }
                if let reason = header.read(byte) {
                    throw .corrupt(Self.format, reason: reason, offset: input.offset - 1)
                }
                if header.isComplete { try beginContent(at: input.offset) }
            case .content:
                try inflate(&input, to: output)
                // Within a member, the library has filled the output or taken all input.
                guard case .afterMember = phase else { return }
            case .afterMember:
                guard let byte = input.first else { return }
                phase = byte == 0 ? .padding : .header
                header = GzipHeader()
                guard byte == 0 || byte == 0x1F else {
                    throw .trailingData(Self.format, unit: "member", offset: input.offset)
                }
            case .padding:
                guard let byte = input.popFirst() else { return }
                guard byte == 0 else {
                    throw .trailingData(Self.format, unit: "member", offset: input.offset - 1)
                }
            }
        }
    }

    func checkEnd(at offset: Int64) throws(CompressionError) {
        switch phase {
        case .header, .content: throw .truncated(Self.format, unit: "member", offset: offset)
        case .afterMember, .padding: return
        }
    }

    private func beginContent(at offset: Int64) throws(CompressionError) {
        let payload = GzipMark.payload(in: header.extra) ?? []
        try seal.begin(FileMark.read(payload, .gzip, at: offset), at: offset)
        unsafe isal_inflate_reset(state)
        // Content, then checksum and size, both of which the library verifies.
        unsafe state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
        phase = .content
    }

    private func inflate(_ input: inout CompressedInput, to output: ScratchBuffer) throws(CompressionError) {
        var status: CInt = 0
        // The library counts with 32 bits.
        unsafe input.read(upTo: 1 << 30) { bytes in
            // The library reads the input only; its declaration merely lacks a `const`.
            unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe state.pointee.avail_in = UInt32(bytes.count)
            unsafe output.write { free in
                unsafe state.pointee.next_out = free.baseAddress
                unsafe state.pointee.avail_out = UInt32(min(free.count, 1 << 30))
                status = unsafe isal_inflate(state)
                return status == ISAL_DECOMP_OK ? unsafe free.count - Int(state.pointee.avail_out) : 0
            }
            // After a failure the counts of what remains are wrong; the pointer is right, and shows the place.
            guard let start = bytes.baseAddress, let next = unsafe state.pointee.next_in else { return 0 }
            return unsafe min(max(UnsafePointer(next) - start, 0), bytes.count)
        }
        switch status {
        case ISAL_DECOMP_OK: break
        case ISAL_INCORRECT_CHECKSUM:
            throw .corrupt(Self.format, reason: "the checksum of a member is wrong", offset: input.offset)
        default: throw .corrupt(Self.format, reason: "it cannot be decoded", offset: input.offset)
        }
        if unsafe state.pointee.block_state == ISAL_BLOCK_FINISH {
            phase = .afterMember
        }
    }
}
