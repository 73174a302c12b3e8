import CZstd

/// A decoder of zstd files: one frame after another, skippable ones among them.
///
/// Safe: `context` is owned by this object and lives as long as it does; libzstd uses input and output during a call only.
@safe final class ZstdDecoder: StreamDecoder {
    private static let format = CompressionFormat.zstd.rawValue

    /// The size of a frame's shortest header, in bytes.
    private static let smallestHeader = 5

    private let context: OpaquePointer
    /// The number of bytes that the library wants next; nil between frames.
    private var wanted: Int?
    private var hasFrames = false
    private var mayHoldOutput = false

    init() throws(CompressionError) {
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
            if wanted == nil, hasFrames, let byte = input.first, !Self.mayBeginFrame(byte) {
                throw .trailingData(Self.format, unit: "frame", offset: input.offset)
            }
            var status = 0
            // No more than the library wants at a time, which is a block, so the place of a failure is known.
            unsafe input.read(upTo: max(wanted ?? Self.smallestHeader, 1)) { bytes in
                var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
                unsafe output.write { free in
                    var destination = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
                    status = unsafe ZSTD_decompressStream(context, &destination, &source)
                    return unsafe destination.pos
                }
                return unsafe source.pos
            }
            guard ZSTD_isError(status) == 0 else {
                throw error(status, offset: input.offset)
            }
            wanted = status == 0 ? nil : status
            hasFrames = hasFrames || status == 0
            mayHoldOutput = status != 0 && output.freeCount == 0
        }
    }

    func checkEnd(at offset: Int64) throws(CompressionError) {
        guard wanted == nil else { throw .truncated(Self.format, unit: "frame", offset: offset) }
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
