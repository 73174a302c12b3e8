import CLibpq
import Glibc

/// Sends the bytes of a COPY … FROM STDIN and notices when the server has aborted it.
///
/// libpq reads the server's answer only when everything has been sent, which may be hours after a bad value. So the socket
/// is watched in addition: a server that has aborted sends an error, and whatever is sent afterwards is wasted.
struct CopyInSender {
    /// Whether what is in the socket can be read: not under encryption, and no longer once libpq has read a part of it.
    private var canPeek: Bool
    private let watch: PeerWatch

    /// Small enough to usually fit in the socket; while libpq waits for room, it hides what the server says.
    private static let pieceSize = 32_768
    /// How often to look whether the server is still there, in milliseconds.
    private static let watchInterval: Int32 = 1_000

    /// Creates a sender.
    ///
    /// - Parameters:
    ///   - handle: The connection, in COPY IN state.
    ///   - watch: Tells whether its server is gone.
    @unsafe
    init(_ handle: OpaquePointer, _ watch: PeerWatch) {
        self.watch = watch
        canPeek = unsafe PQsslInUse(handle) == 0 && PQgssEncInUse(handle) == 0
    }

    /// Sends bytes, blocking while the server is busy.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - handle: The connection, in COPY IN state.
    /// - Returns: False if the server has aborted or is gone, and its result should be read.
    @unsafe
    mutating func send(_ bytes: [UInt8], to handle: OpaquePointer) -> Bool {
        unsafe bytes.withUnsafeBytes { buffer in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                guard let isReady = unsafe waitForRoom(handle) else { return false }
                guard isReady else { continue }
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(canPeek ? Self.pieceSize : 1 << 20))
                let start = unsafe piece.baseAddress?.assumingMemoryBound(to: CChar.self)
                guard unsafe PQputCopyData(handle, start, Int32(piece.count)) == 1 else { return false }
                unsafe rest = unsafe rest.dropFirst(piece.count)
            }
            return true
        }
    }

    /// Waits until the socket takes bytes.
    ///
    /// - Returns: Whether it does; nil if the server has aborted or is gone.
    @unsafe
    private mutating func waitForRoom(_ handle: OpaquePointer) -> Bool? {
        var descriptor = unsafe pollfd(fd: PQsocket(handle), events: Int16(POLLIN | POLLOUT), revents: 0)
        guard unsafe poll(&descriptor, 1, Self.watchInterval) > 0 else {
            // A signal, or time to look whether anybody is there.
            return watch.isPeerGone ? nil : false
        }
        let events = Int32(descriptor.revents)
        if events & (POLLERR | POLLHUP | POLLNVAL) != 0 {
            return nil
        }
        if events & POLLIN != 0 {
            if canPeek, Self.hasAborted(descriptor.fd) {
                return nil
            }
            // Notices. From now on a message may be half in libpq's memory and half in the socket.
            canPeek = false
            if unsafe PQconsumeInput(handle) == 0 {
                return nil
            }
        }
        return events & POLLOUT != 0
    }

    /// Whether an error, or the end of the stream, is in a socket; nothing is taken from it.
    private static func hasAborted(_ socket: Int32) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            let count = unsafe recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_PEEK | MSG_DONTWAIT))
            guard count > 0 else { return count == 0 }
            var message = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])[...]
            // Each begins with its type and its length without the type (Postgres documentation, 55.7).
            while unsafe message.count > 5 {
                let header = unsafe message.prefix(6).map { $0 }
                let length = header[1...4].reduce(0) { $0 << 8 | Int($1) }
                // The first field of an error is its severity.
                if header[0] == UInt8(ascii: "E"), header[5] == UInt8(ascii: "S") {
                    return true
                }
                unsafe message = unsafe message.dropFirst(1 + length)
            }
            return false
        }
    }
}
