import Postgres

/// What to do about a connection that could not be made.
enum ConnectionAdvice {
    /// Advice by what libpq and the server say; `PostgresError` has a SQLSTATE where the server did.
    ///
    /// - Parameter error: Any error of Postgres.
    /// - Returns: In the imperative, without a full stop; nil when the error is not that of a connection attempt.
    static func hint(for error: PostgresError) -> String? {
        guard [.connectionFailed, .authenticationFailed].contains(error.code) else { return nil }
        if let hint = error.sqlState.flatMap({ states[$0] }) { return hint }
        let known = phrases.first { phrase, _ in error.message.containsBytes(of: phrase) }
        return known?.hint ?? "check 'url' or 'connection' in the configuration, and try it with psql"
    }

    /// By SQLSTATE (PostgreSQL documentation, appendix A).
    private static let states = [
        "28P01": "correct the user or the password in the configuration, PGPASSWORD or ~/.pgpass",
        "28000": "check the user, and whether pg_hba.conf lets it in from this machine",
        "3D000": "correct the name of the database, or create it",
        "53300": "end other connections, or raise max_connections or the limit of the role",
        "57P03": "wait until the server has started up",
        "42501": "grant the role CONNECT on the database",
    ]

    /// By what libpq says, in English in every language that the server may speak.
    private static let phrases: [(phrase: String, hint: String)] = [
        ("no password supplied", "give the password in the configuration, PGPASSWORD or ~/.pgpass"),
        ("pg_hba.conf", "let the role in from this machine in pg_hba.conf"),
        ("could not translate host name", "correct the host, or check the name service of this machine"),
        ("Connection refused", "check host and port, and that the server runs and listens there (listen_addresses)"),
        (
            "failed: Permission denied",
            "allow this user to use the server's socket (unix_socket_permissions), or name the host to connect over TCP"
        ),
        ("No such file or directory", "name the host in the configuration, or start the server on this machine"),
        ("certificate", "check sslrootcert and sslmode, or the server's certificate"),
        ("SSL", "check sslmode, and whether the server accepts TLS"),
        ("did not answer within", "check the host, and firewalls between this machine and the server"),
        ("timed out", "check the host, and firewalls between this machine and the server"),
        ("timeout", "check the host, and firewalls between this machine and the server"),
        ("unreachable", "check the network, and firewalls between this machine and the server"),
        ("server closed the connection", "check that the port is that of a Postgres server or pooler, and its log"),
    ]
}
