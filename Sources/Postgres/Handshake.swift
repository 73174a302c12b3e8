import CLibpq
import Dispatch
import Glibc

/// Opens a libpq connection, blocking the thread, with a deadline and checks for cancellation.
///
/// PQconnectdb would do it in one call, but does not report the SQLSTATE of a refusal and cannot be interrupted.
struct Handshake {
    let parameters: ConnectionParameters
    let notices: NoticeReceiver
    let attempt: ConnectAttempt

    /// The seconds that one address of a host may take when neither parameters nor environment say otherwise.
    static let defaultTimeout = 10

    /// The longest that a cancelled attempt continues in the background, in milliseconds.
    private static let pollInterval: Int32 = 100

    /// Connects to the first of the hosts that answers.
    ///
    /// - Returns: A connection that can be used.
    /// - Throws: ``PostgresError`` whose message is one line.
    func run() throws(PostgresError) -> EstablishedConnection {
        var keywords = parameters.keywords
        // The program sends UTF-8, and files are UTF-8: no environment variable can change that, but the database can.
        keywords["client_encoding"] = "UTF8"
        keywords["fallback_application_name"] = keywords["fallback_application_name"] ?? "databudgie"
        while true {
            switch try connect(keywords) {
            case .connected(let connection): return connection
            case .timedOut(let place, let seconds, let remaining):
                guard let remaining else {
                    throw PostgresError(
                        .connectionFailed,
                        "the server \(place) did not answer within \(seconds) seconds",
                        hint: "check host and port, or set connect_timeout"
                    )
                }
                keywords.merge(remaining) { $1 }
            }
        }
    }

    private enum Outcome {
        case connected(EstablishedConnection)
        /// The keywords name the hosts that have not been tried yet; nil if there are none.
        case timedOut(place: String, seconds: Int, remaining: [String: String]?)
    }

    private func connect(_ keywords: [String: String]) throws(PostgresError) -> Outcome {
        guard let handle = unsafe Self.start(keywords) else {
            throw PostgresError(.connectionFailed, "there is not enough memory for a connection")
        }
        var isConnected = false
        defer {
            if !isConnected {
                unsafe PQfinish(handle)
            }
        }
        unsafe notices.attach(to: handle)
        unsafe PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        let timeout =
            unsafe ConnectionParameters.effectiveValue("connect_timeout", handle).flatMap { Int($0) }
            ?? Self.defaultTimeout
        var address = unsafe Self.address(handle)
        var deadline = DispatchTime.now() + .seconds(timeout)
        var phase = PGRES_POLLING_WRITING
        while phase != PGRES_POLLING_OK {
            guard unsafe phase != PGRES_POLLING_FAILED && PQstatus(handle) != CONNECTION_BAD else {
                throw LibpqMessage.connectionError(unsafe String(cString: PQerrorMessage(handle)))
            }
            guard !attempt.isCancelled else { throw .cancelled }
            var descriptor = unsafe pollfd(
                fd: PQsocket(handle),
                events: Int16(phase == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                revents: 0
            )
            // A signal that interrupts the wait says nothing about the socket.
            if unsafe poll(&descriptor, 1, Self.pollInterval) > 0 {
                phase = unsafe PQconnectPoll(handle)
            }
            // Each address has the whole time, as with PQconnectdb.
            let newAddress = unsafe Self.address(handle)
            if newAddress != address {
                address = newAddress
                deadline = DispatchTime.now() + .seconds(timeout)
            }
            if timeout > 0, DispatchTime.now() > deadline, phase != PGRES_POLLING_OK, phase != PGRES_POLLING_FAILED {
                return .timedOut(place: address, seconds: timeout, remaining: unsafe Self.hostsBehind(handle, keywords))
            }
        }
        guard unsafe Self.takesBytesAsTheyAre(handle) else {
            throw LibpqMessage.connectionError(unsafe String(cString: PQerrorMessage(handle)))
        }
        unsafe PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        unsafe PeerWatch(handle).begin(handle)
        isConnected = true
        return .connected(unsafe EstablishedConnection(handle: handle, notices: notices))
    }

    /// Has the server pass bytes on as they are if its database says nothing of their encoding.
    ///
    /// Such a database (`SQL_ASCII`) holds any bytes. With another encoding on our side the server would refuse those that
    /// are not valid in it (Postgres documentation, 24.3.4).
    @unsafe
    private static func takesBytesAsTheyAre(_ handle: OpaquePointer) -> Bool {
        guard let encoding = unsafe PQparameterStatus(handle, "server_encoding"),
            unsafe String(cString: encoding) == "SQL_ASCII"
        else { return true }
        return unsafe PQsetClientEncoding(handle, "SQL_ASCII") == 0
    }

    @unsafe
    private static func start(_ keywords: [String: String]) -> OpaquePointer? {
        // Copies that C can keep for the length of the call.
        var names = unsafe keywords.keys.map { unsafe strdup($0) }
        var values = unsafe keywords.values.map { unsafe strdup($0) }
        defer {
            unsafe (names + values).forEach { unsafe free($0) }
        }
        unsafe names.append(nil)
        unsafe values.append(nil)
        let constantNames = unsafe names.map { unsafe UnsafePointer($0) }
        let constantValues = unsafe values.map { unsafe UnsafePointer($0) }
        // Not expanded: a database named "dbname=x" is that database, and not a list of options.
        return unsafe PQconnectStartParams(constantNames, constantValues, 0)
    }

    @unsafe
    private static func address(_ handle: OpaquePointer) -> String {
        let parts = unsafe [PQhost(handle), PQhostaddr(handle), PQport(handle)].map { part in
            unsafe part.map { unsafe String(cString: $0) } ?? ""
        }
        let numeric = parts[1].isEmpty || parts[1] == parts[0] ? "" : " (\(parts[1]))"
        return "\(parts[0])\(numeric), port \(parts[2]),"
    }

    /// The host, hostaddr and port lists without everything up to the host that is being tried.
    @unsafe
    private static func hostsBehind(_ handle: OpaquePointer, _ keywords: [String: String]) -> [String: String]? {
        let lists = ["host", "hostaddr", "port"].map { keyword in
            unsafe ConnectionParameters.elements(of: ConnectionParameters.effectiveValue(keyword, handle) ?? "")
        }
        let count = max(lists[0].count, lists[1].count)
        let current = unsafe PQhost(handle).map { unsafe String(cString: $0) } ?? ""
        let currentPort = unsafe PQport(handle).map { unsafe String(cString: $0) } ?? ""
        let index = (0..<count).first { index in
            let names = [lists[0], lists[1]].map { $0.indices.contains(index) ? $0[index] : "" }
            let port = lists[2].count == count ? lists[2][index] : ""
            return names.contains(current) && (port.isEmpty || port == currentPort)
        }
        guard let index, index + 1 < count else { return nil }
        var remaining: [String: String] = [:]
        for (keyword, list) in zip(["host", "hostaddr", "port"], lists) where list.count == count {
            remaining[keyword] = list[(index + 1)...].joined(separator: ",")
        }
        return remaining
    }
}
