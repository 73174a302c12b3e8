/// A buffer of fixed size that a compression library writes into.
///
/// It is allocated once and reused for every call, so only what is handed on is allocated each time.
/// Safe: `storage` is owned by this object, leaves it only for the duration of `write`, and only its first `count`
/// bytes, which are initialized, are ever read.
@safe final class ScratchBuffer {
    private let storage: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    /// The number of bytes that fit in addition to those that are there.
    var freeCount: Int { unsafe storage.count - count }

    init(capacity: Int) {
        unsafe storage = .allocate(capacity: capacity)
    }

    deinit {
        unsafe storage.deallocate()
    }

    /// Lets `body` write to the free part of the buffer.
    ///
    /// - Parameter body: Gets the free part, and returns how many bytes at its beginning it has initialized.
    /// - Throws: What `body` throws.
    func write<Failure>(
        _ body: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Int
    ) throws(Failure) {
        let free = unsafe UnsafeMutableBufferPointer(rebasing: storage[count...])
        let written = try unsafe body(free)
        precondition(written >= 0 && written <= freeCount, "more was written than there was room for")
        count += written
    }

    /// Removes the content from the buffer and returns it.
    func take() -> [UInt8] {
        defer { count = 0 }
        return unsafe [UInt8](UnsafeBufferPointer(rebasing: storage[..<count]))
    }

    /// Removes the content from the buffer and adds it to the end of an array.
    func move(to array: inout [UInt8]) {
        unsafe array.append(contentsOf: UnsafeBufferPointer(rebasing: storage[..<count]))
        count = 0
    }
}
