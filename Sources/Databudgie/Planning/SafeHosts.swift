/// The servers that a restore writes to without a confirmation (`safe_hosts`).
struct SafeHosts: Sendable {
    private let globs: [Glob]

    /// - Parameter patterns: Names, addresses or folders of sockets, or globs over them.
    init(_ patterns: [String]) {
        globs = patterns.map { Glob(Self.canonical($0)) }
    }

    /// Whether a server is one of them: by its name, by its numeric address, or by the folder of its socket.
    ///
    /// - Parameters:
    ///   - host: The name by which the server was found, or the folder of its socket.
    ///   - address: The numeric address; empty for a socket.
    ///   - hasGivenAddress: The address was given (`hostaddr`), so the name was not looked up, and says nothing.
    /// - Returns: True if nothing has to be asked.
    func contains(host: String, address: String, hasGivenAddress: Bool) -> Bool {
        let names = (hasGivenAddress ? [] : [host]) + (address.isEmpty ? [] : [address])
        return names.contains { name in globs.contains { $0.matches(Self.canonical(name)) } }
    }

    /// Names of hosts ignore the case of ASCII letters, and a dot at their end; paths have another beginning.
    private static func canonical(_ name: String) -> String {
        guard name.utf8.first != UInt8(ascii: "/") else { return name }
        var bytes = name.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        if bytes.count > 1, bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
