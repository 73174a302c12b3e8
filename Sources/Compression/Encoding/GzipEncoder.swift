import CISAL

/// An encoder of gzip members, with ISA-L.
///
/// Safe: `stream` and `levelBuffer` are owned by this object and live as long as it does; the pointers to input and
/// output that `stream` holds are set before every call of the library, which does not use them afterwards.
@safe final class GzipEncoder: StreamEncoder {
    /// The size of the working memory, in bytes, which lower levels do not need all of: `ISAL_DEF_LVL3_EXTRA_LARGE` of
    /// igzip_lib.h, a macro too complex to be imported.
    private static let levelBufferSize = (4 + 16 + 64) * 1024 + 4 * 128 * 1024

    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutableBufferPointer<UInt8>
    private let scratch: ScratchBuffer
    /// The header of the first member, until it is written.
    private var announcement: [UInt8]

    /// - Parameters:
    ///   - level: One of the format's levels.
    ///   - scratchSize: The size of the buffer for output, in bytes.
    ///   - isFirst: The first member is the file's first, which announces the totals.
    init(level: Int, scratchSize: Int, isFirst: Bool = true) {
        scratch = ScratchBuffer(capacity: scratchSize)
        announcement = isFirst ? GzipMark.header(.announcement) : []
        // The library keeps a structure of its own in the working memory: hence the alignment. All zeros make the
        // output depend on the input alone.
        let levelMemory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.levelBufferSize, alignment: 64)
        unsafe levelMemory.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe levelBuffer = levelMemory.assumingMemoryBound(to: UInt8.self)
        let streamMemory = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<isal_zstream>.size,
            alignment: 64
        )
        unsafe streamMemory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<isal_zstream>.size)
        unsafe stream = streamMemory.assumingMemoryBound(to: isal_zstream.self)
        unsafe isal_deflate_init(stream)
        unsafe stream.pointee.level = UInt32(level)
        unsafe stream.pointee.level_buf = levelBuffer.baseAddress
        unsafe stream.pointee.level_buf_size = UInt32(levelBuffer.count)
        unsafe stream.pointee.gzip_flag = UInt16(IGZIP_GZIP_NO_HDR)
        if !isFirst { beginMember() }
    }

    deinit {
        unsafe stream.deallocate()
        unsafe levelBuffer.deallocate()
    }

    func encode(_ input: [UInt8], endsSegment: Bool, to output: inout [UInt8]) throws(CompressionError) {
        // The library counts with 32 bits.
        precondition(input.count <= Int(UInt32.max), "a chunk of more than 4 GiB")
        output += announcement
        announcement = []
        let status = unsafe input.withUnsafeBufferPointer { bytes in
            // The library reads the input only; its declaration merely lacks a `const`.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            unsafe stream.pointee.end_of_stream = endsSegment ? 1 : 0
            return deflate(endsSegment: endsSegment, to: &output)
        }
        guard status == COMP_OK else {
            throw .libraryFailure("compressing with ISA-L failed with status \(status)", hint: "report this as a bug")
        }
        if endsSegment {
            unsafe isal_deflate_reset(stream)
            beginMember()
        }
    }

    static func lastSegment(_ totals: FileTotals) -> [UInt8] {
        GzipMark.emptyMember(.totals(totals))
    }

    /// Has the library write a header (no name, time 0) and a trailer; it forgets the flag once it has written a header.
    private func beginMember() {
        unsafe stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
    }

    /// Runs the library until it has taken all input and, at the end of a segment, given all output.
    private func deflate(endsSegment: Bool, to output: inout [UInt8]) -> CInt {
        var isFull = false
        repeat {
            var status = COMP_OK
            unsafe scratch.write { free in
                unsafe stream.pointee.next_out = free.baseAddress
                unsafe stream.pointee.avail_out = UInt32(free.count)
                status = unsafe isal_deflate(stream)
                return unsafe free.count - Int(stream.pointee.avail_out)
            }
            guard status == COMP_OK else { return status }
            isFull = scratch.freeCount == 0
            scratch.move(to: &output)
        } while unsafe stream.pointee.avail_in > 0 || (endsSegment && isFull)
        return COMP_OK
    }
}
