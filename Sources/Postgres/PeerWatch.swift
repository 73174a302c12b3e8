import CLibpq
import Glibc

/// Has a peer that is gone without a word noticed within about two minutes, unless the user has chosen otherwise.
@safe
struct PeerWatch {
    /// How long a peer may leave bytes unacknowledged, in milliseconds.
    private static let limit: Int32 = 120_000

    private let socket: Int32
    /// The user has set no time limit of his own.
    private let hasOwnLimit: Bool

    /// Looks at a connection.
    ///
    /// - Parameter handle: A live connection.
    @unsafe
    init(_ handle: OpaquePointer) {
        socket = unsafe PQsocket(handle)
        hasOwnLimit = unsafe (ConnectionParameters.effectiveValue("tcp_user_timeout", handle) ?? "").isEmpty
    }

    /// Sets keepalives, for a silent peer, and the limit for unacknowledged bytes, which keepalives do not cover.
    ///
    /// - Parameter handle: The connection.
    @unsafe
    func begin(_ handle: OpaquePointer) {
        if hasOwnLimit { set(TCP_USER_TIMEOUT, Self.limit) }
        guard unsafe ConnectionParameters.effectiveValue("keepalives", handle) != "0" else { return }
        let options: [(keyword: String, option: Int32, value: Int32)] = [
            ("keepalives_idle", TCP_KEEPIDLE, 60),
            ("keepalives_interval", TCP_KEEPINTVL, 10),
            ("keepalives_count", TCP_KEEPCNT, 6),
        ]
        for (keyword, option, value) in options
        where (unsafe ConnectionParameters.effectiveValue(keyword, handle) ?? "").isEmpty {
            set(option, value)
        }
    }

    /// Suspends the limit, because it would also end a connection whose peer is there and only does not read: a server that
    /// waits for a lock in the middle of a COPY (Linux, tcp(7)).
    func suspendLimit() {
        if hasOwnLimit { set(TCP_USER_TIMEOUT, 0) }
    }

    /// Sets the limit again.
    func resumeLimit() {
        if hasOwnLimit { set(TCP_USER_TIMEOUT, Self.limit) }
    }

    /// Whether bytes are on their way and the peer has acknowledged nothing for longer than the limit.
    var isPeerGone: Bool {
        var info = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        // A unix socket has no such thing, and its peer cannot vanish unnoticed.
        guard hasOwnLimit, unsafe getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else {
            return false
        }
        return info.tcpi_unacked > 0 && info.tcpi_last_ack_recv > UInt32(Self.limit)
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        // A unix socket refuses it, and does not need it.
        _ = unsafe setsockopt(socket, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
