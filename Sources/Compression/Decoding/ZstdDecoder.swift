import CZstd

/// A decoder of zstd files: one frame after another, skippable ones among them.
///
/// Safe: `context` is owned by this object and lives as long as it does; libzstd uses input and output during a call only.
@safe final class ZstdDecoder: StreamDecoder {
    private enum Phase {
        /// Between frames, or in the magic number of the next one.
        case magic([UInt8])
        case skippable(SkippableFrame)
        /// In a frame, of which the library wants a number of bytes next.
        case frame(wanted: Int)
    }

    private static let format = CompressionFormat.zstd.rawValue

    private let context: OpaquePointer
    private(set) var seal: FileSeal
    private var phase = Phase.magic([])
    private var hasFrames = false
    private var mayHoldOutput = false

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
        var status = 0
        let taken = unsafe magic.withUnsafeBufferPointer { unsafe decompress($0, to: output, &status) }
        try check(status, output, at: input.offset)
        guard taken == magic.count else {
            throw .corrupt(Self.format, reason: "it cannot be decoded", offset: input.offset)
        }
        try seal.begin(nil, at: input.offset)
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
            return unsafe destination.pos
        }
        return unsafe source.pos
    }

    /// Continues as the library says, which returns 0 at the end of a frame.
    private func check(_ status: Int, _ output: ScratchBuffer, at offset: Int64) throws(CompressionError) {
        guard ZSTD_isError(status) == 0 else { throw error(status, offset: offset) }
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
