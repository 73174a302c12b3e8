import Postgres

extension ConnectionParameters {
    /// Parameters for another connection to the very server that one connection has reached, of several that they may lead to.
    ///
    /// - Parameter server: What was reached.
    /// - Returns: The parameters with its host, address and port.
    func leading(to server: ServerInfo) -> ConnectionParameters {
        var keywords = keywords
        for keyword in ["target_session_attrs", "load_balance_hosts", "hostaddr"] { keywords[keyword] = nil }
        (keywords["host"], keywords["port"], keywords["dbname"]) = (server.host, server.port, server.database)
        // A name can have the addresses of several servers; a Unix socket has none.
        if !server.address.isEmpty { keywords["hostaddr"] = server.address }
        return ConnectionParameters(keywords: keywords)
    }
}
