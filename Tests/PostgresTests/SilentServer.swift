import Glibc

/// A port that takes connections and never says a word.
final class SilentServer: Sendable {
    let port: Int
    private let socket: Int32

    init() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 && listen(socket, 5) == 0
                    && getsockname(socket, address, &length) == 0
            }
        }
        self.socket = socket
        port = Int(UInt16(bigEndian: address.sin_port))
        guard bound else { throw Failure() }
    }

    deinit {
        close(socket)
    }

    /// Waits until somebody has connected.
    func waitForConnection() async throws {
        var client = accept(socket, nil, nil)
        while client < 0 {
            try await Task.sleep(for: .milliseconds(5))
            client = accept(socket, nil, nil)
        }
        // It stays open until the process ends, so that the other side keeps waiting.
    }

    struct Failure: Error {}
}
