import CZstd

/// An encoder of zstd frames, with libzstd.
///
/// Safe: `context` is owned by this object and lives as long as it does; libzstd uses input and output during a call only.
@safe final class ZstdEncoder: StreamEncoder {
    private let context: OpaquePointer
    private let scratch: ScratchBuffer
    /// The frame before the first one with content, until it is written.
    private var announcement: [UInt8]

    /// - Parameters:
    ///   - level: One of the format's levels.
    ///   - scratchSize: The size of the buffer for output, in bytes.
    ///   - isFirst: The first frame is the file's first, before which the totals are announced.
    /// - Throws: An error with code `libraryFailure`.
    init(level: Int, scratchSize: Int, isFirst: Bool = true) throws(CompressionError) {
        announcement = isFirst ? ZstdMark.frame(.announcement) : []
        guard let context = unsafe ZSTD_createCCtx() else {
            throw .outOfMemory("compress with zstd")
        }
        unsafe self.context = context
        scratch = ScratchBuffer(capacity: scratchSize)
        try setParameter(ZSTD_c_compressionLevel, to: CInt(level))
        try setParameter(ZSTD_c_checksumFlag, to: 1)
    }

    deinit {
        unsafe ZSTD_freeCCtx(context)
    }

    func encode(_ input: [UInt8], endsSegment: Bool, to output: inout [UInt8]) throws(CompressionError) {
        output += announcement
        announcement = []
        let status = unsafe input.withUnsafeBufferPointer { bytes in
            var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            return unsafe encode(&source, endsSegment: endsSegment, to: &output)
        }
        try check(status)
    }

    static func lastSegment(_ totals: FileTotals) -> [UInt8] {
        ZstdMark.frame(.totals(totals))
    }

    /// Runs the library until it has taken all input and, at the end of a segment, given all output.
    private func encode(_ source: inout ZSTD_inBuffer, endsSegment: Bool, to output: inout [UInt8]) -> Int {
        var remaining = 0
        repeat {
            unsafe scratch.write { free in
                var destination = unsafe ZSTD_outBuffer(dst: free.baseAddress, size: free.count, pos: 0)
                let directive = endsSegment ? ZSTD_e_end : ZSTD_e_continue
                remaining = unsafe ZSTD_compressStream2(context, &destination, &source, directive)
                return unsafe destination.pos
            }
            guard ZSTD_isError(remaining) == 0 else { return remaining }
            scratch.move(to: &output)
        } while unsafe source.pos < source.size || (endsSegment && remaining > 0)
        return 0
    }

    private func setParameter(_ parameter: ZSTD_cParameter, to value: CInt) throws(CompressionError) {
        try check(unsafe ZSTD_CCtx_setParameter(context, parameter, value))
    }

    private func check(_ status: Int) throws(CompressionError) {
        guard ZSTD_isError(status) != 0 else { return }
        let reason = unsafe String(cString: ZSTD_getErrorName(status))
        throw .libraryFailure("compressing with zstd failed: \(reason)", hint: "report this as a bug")
    }
}
