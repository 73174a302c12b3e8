import CZstd

/// A decoder of zstd files: one frame after another, skippable ones among them.
///
/// Safe: `context` is owned by this object and lives as long as it does; libzstd uses input and output during a call only.
@safe final class ZstdDecoder: StreamDecoder {
    private enum Phase {
        /// Between frames, or in the magic number of the next one.
        case magic([UInt8])
        case skippable(SkippableFrame)
        /// In the header of a frame, whose magic number it begins with.
        case header([UInt8])
        /// In a frame, of which the library wants a number of bytes next.
        case frame(wanted: Int)
    }

    private static let format = CompressionFormat.zstd.rawValue
    private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    private let context: OpaquePointer
    private(set) var seal: FileSeal
    private var phase = Phase.magic([])
    private var hasFrames = false
    private var mayHoldOutput = false
    /// The size of the current frame's content as its header says, in bytes; nil if it does not.
    private var frameSize: UInt64?
    /// The number of bytes of the current frame's content so far.
    private var frameBytes: UInt64 = 0

    init(seal: FileSeal) throws(CompressionError) {
        self.seal = seal
        guard let context = unsafe ZSTD_createDCtx() else {
            throw .outOfMemory("decompress zstd")
        }
        unsafe self.context = context
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    func decode(_ input: inout CompressedInput, to output: ScratchBuffer) throws(CompressionError) {
        while output.freeCount > 0, !input.isEmpty || mayHoldOutput {
            switch phase {
            case .magic(let magic): try readMagic(after: magic, &input, to: output)
            case .skippable(var frame):
                frame.read(&input)
                phase = .skippable(frame)
                if frame.isComplete { try endSkippable(frame, at: input.offset) }
            case .header(let header): try readHeader(after: header, &input, to: output)
            case .frame(let wanted):
                var status = 0
                // No more than the library wants at a time, which is a block, so the place of a failure is known.
                unsafe input.read(upTo: max(wanted, 1)) { bytes in
                    unsafe decompress(bytes, to: output, &status)
                }
                try check(status, output, at: input.offset)
            }
        }
    }

    func checkEnd(at offset: Int64) throws(CompressionError) {
        guard case .magic(let magic) = phase, magic.isEmpty else {
            throw .truncated(Self.format, unit: "frame", offset: offset)
        }
    }

    /// Reads the next byte of a magic number, and begins a frame after the last.
    private func readMagic(
        after beginning: [UInt8],
        _ input: inout CompressedInput,
        to output: ScratchBuffer
    ) throws(CompressionError) {
        guard let byte = input.first else { return }
        guard !beginning.isEmpty || !hasFrames || Self.mayBeginFrame(byte) else {
            throw .trailingData(Self.format, unit: "frame", offset: input.offset)
        }
        _ = input.popFirst()
        let magic = beginning + [byte]
        phase = .magic(magic)
        guard magic.count == 4 else { return }
        guard !SkippableFrame.begins(with: magic) else {
            phase = .skippable(SkippableFrame(magic))
            return
        }
        guard magic == Self.magic else { return try beginFrame(magic, to: output, at: input.offset) }
        phase = .header(magic)
    }

    /// Reads the next byte of a frame's header, and begins the frame after the last.
    private func readHeader(
        after beginning: [UInt8],
        _ input: inout CompressedInput,
        to output: ScratchBuffer
    ) throws(CompressionError) {
        guard let byte = input.popFirst() else { return }
        let header = beginning + [byte]
        phase = .header(header)
        guard header.count == Self.headerSize(header[Self.magic.count]) else { return }
        try beginFrame(header, to: output, at: input.offset)
    }

    private func beginFrame(_ header: [UInt8], to output: ScratchBuffer, at offset: Int64) throws(CompressionError) {
        var status = 0
        frameBytes = 0
        let size = unsafe header.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two highest numbers stand for an unknown size and an error, which the library reports next.
        frameSize = size < UInt64.max - 1 ? size : nil
        let taken = unsafe header.withUnsafeBufferPointer { unsafe decompress($0, to: output, &status) }
        try check(status, output, at: offset)
        guard taken == header.count else {
            throw .corrupt(Self.format, reason: "it cannot be decoded", offset: offset)
        }
        try seal.begin(nil, at: offset)
    }

    /// The size of a frame's header, in bytes (RFC 8878, section 3.1.1.1).
    ///
    /// - Parameter descriptor: The byte after the magic number.
    /// - Returns: The size with the magic number.
    private static func headerSize(_ descriptor: UInt8) -> Int {
        let isSingleSegment = descriptor & 0x20 != 0
        let window = isSingleSegment ? 0 : 1
        let dictionary = [0, 1, 2, 4][Int(descriptor & 3)]
        let contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
        return magic.count + 1 + window + dictionary + contentSize
    }

    private func endSkippable(_ frame: SkippableFrame, at offset: Int64) throws(CompressionError) {
        try seal.begin(FileMark.read(frame.payload[...], .zstd, at: offset), at: offset)
        phase = .magic([])
        hasFrames = true
    }

    /// Lets the library decompress some bytes.
    ///
    /// - Returns: The number of bytes that it has taken.
    private func decompress(
        _ bytes: UnsafeBufferPointer<UInt8>,
        to output: ScratchBuffer,
        _ status: inout Int
    ) -> Int {
        var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        unsafe output.write { free in
            var destination = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
            status = unsafe ZSTD_decompressStream(context, &destination, &source)
            frameBytes += UInt64(unsafe destination.pos)
            return unsafe destination.pos
        }
        return unsafe source.pos
    }

    /// Continues as the library says, which returns 0 at the end of a frame.
    private func check(_ status: Int, _ output: ScratchBuffer, at offset: Int64) throws(CompressionError) {
        guard ZSTD_isError(status) == 0 else { throw error(status, offset: offset) }
        // The library itself does not compare the sizes when the last block is empty.
        guard status != 0 || frameSize == nil || frameSize == frameBytes else {
            throw .corrupt(Self.format, reason: "the size of a frame is wrong", offset: offset)
        }
        phase = status == 0 ? .magic([]) : .frame(wanted: status)
        hasFrames = hasFrames || status == 0
        mayHoldOutput = status != 0 && output.freeCount == 0
    }

    /// Whether a frame, or one to skip, may begin with a byte.
    private static func mayBeginFrame(_ byte: UInt8) -> Bool {
        byte == 0x28 || (0x50...0x5F).contains(byte)
    }

    private func error(_ status: Int, offset: Int64) -> CompressionError {
        switch ZSTD_getErrorCode(status) {
        case ZSTD_error_prefix_unknown where hasFrames:
            return .trailingData(Self.format, unit: "frame", offset: offset)
        case ZSTD_error_frameParameter_windowTooLarge:
            return .unsupported(
                "reading the zstd data takes a window of more than 128 MiB, which is not supported",
                hint: "compress it again with --long=27 or less",
                offset: offset
            )
        case ZSTD_error_dictionary_wrong:
            return .unsupported(
                "the zstd data needs a dictionary, which is not supported",
                hint: "compress it again without one",
                offset: offset
            )
        case ZSTD_error_memory_allocation:
            return .outOfMemory("decompress zstd")
        case ZSTD_error_checksum_wrong:
            return .corrupt(Self.format, reason: "the checksum of a frame is wrong", offset: offset)
        default:
            let reason = unsafe String(cString: ZSTD_getErrorName(status))
            return .corrupt(Self.format, reason: "it cannot be decoded (\(reason))", offset: offset)
        }
    }
}
