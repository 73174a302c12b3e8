import Postgres

/// How a database was reached, in a form that reaches it again where the environment is another one, as under cron.
struct ReachedConnection {
    /// What was given, and the host, the port, the user and the database that libpq took from elsewhere.
    ///
    /// Secrets are in it only when they were given.
    private(set) var keywords: [String: String]
    /// The other variables of libpq that are set and not overridden by what was given, sorted.
    let variables: [String]

    /// Libpq's variables that decide where a connection leads and whether it succeeds, by their keywords (Postgres
    /// documentation, "Environment Variables" of libpq).
    ///
    /// Those of the host, the port, the user and the database are not among them: their values are kept.
    private static let variableNames = [
        "channel_binding": "PGCHANNELBINDING", "gssdelegation": "PGGSSDELEGATION", "gssencmode": "PGGSSENCMODE",
        "gsslib": "PGGSSLIB", "hostaddr": "PGHOSTADDR", "krbsrvname": "PGKRBSRVNAME",
        "load_balance_hosts": "PGLOADBALANCEHOSTS", "options": "PGOPTIONS", "passfile": "PGPASSFILE",
        "password": "PGPASSWORD", "require_auth": "PGREQUIREAUTH", "requirepeer": "PGREQUIREPEER",
        "service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
        "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION", "sslcert": "PGSSLCERT",
        "sslcertmode": "PGSSLCERTMODE", "sslcrl": "PGSSLCRL", "sslcrldir": "PGSSLCRLDIR", "sslkey": "PGSSLKEY",
        "sslmode": "PGSSLMODE", "sslnegotiation": "PGSSLNEGOTIATION", "sslrootcert": "PGSSLROOTCERT",
        "sslsni": "PGSSLSNI", "sysconfdir": "PGSYSCONFDIR", "target_session_attrs": "PGTARGETSESSIONATTRS",
    ]

    /// Adds what was reached to what was given.
    ///
    /// - Parameters:
    ///   - given: The parameters of the connection.
    ///   - environment: The environment variables.
    ///   - server: What the connection led to.
    init(given: ConnectionParameters, environment: [String: String], server: ServerInfo) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        keywords = given.keywords.filter { !$0.value.isEmpty }
        let given = keywords
        variables = Self.variableNames.filter { given[$0.key] == nil && variable($0.value) != nil }.map(\.value)
            .sorted()
        // A service that was given is the user's own way of saying where the database is.
        guard given["service"] == nil else { return }
        // A service's entry is stronger than the variables. Otherwise a variable may list several hosts.
        let usesVariables = variable("PGSERVICE") == nil
        for (keyword, name, reached) in [
            ("host", "PGHOST", server.host), ("port", "PGPORT", server.port), ("user", "PGUSER", server.user),
            ("dbname", "PGDATABASE", server.database),
        ] where given[keyword] == nil {
            // The address is enough of a host, and the ports of several hosts are a list of their own.
            if keyword == "host", given["hostaddr"] != nil { continue }
            let value = usesVariables ? variable(name) ?? reached : reached
            if !value.isEmpty { keywords[keyword] = value }
        }
    }
}
