/// The settings with which the same data gives the same bytes, whatever the server, database or role.
enum SessionSettings {
    /// The settings of a purpose, by name.
    ///
    /// `search_path` and `TimeZone` are not among them: the user's query runs with those of the role and the database, as in
    /// psql and pg_dump.
    ///
    /// - Parameter purpose: What the transaction is for.
    /// - Returns: Names and values as for `SET`.
    static func values(for purpose: Connection.Purpose) -> [String: String] {
        switch purpose {
        case .backup: common
        case .restore: common.merging(restoring) { $1 }
        }
    }

    /// The statement that pins settings until the end of the transaction, skipping those that the server does not know.
    ///
    /// It does not ask `pg_settings`, which puts together all of some 350 settings and takes longer than loading a small table.
    ///
    /// - Parameter settings: Names and values as for `SET`.
    /// - Returns: One SELECT.
    static func statement(pinning settings: [String: String]) -> String {
        let values = settings.sorted { $0.key < $1.key }
            .map { "(\(quotedLiteral($0.key)), \(quotedLiteral($0.value)))" }
            .joined(separator: ", ")
        return """
            select pg_catalog.set_config(name, value, true) from (values \(values)) as pinned (name, value) \
            where pg_catalog.current_setting(name, true) is not null
            """
    }

    private static let common = [
        "DateStyle": "ISO",
        "IntervalStyle": "postgres",
        "array_nulls": "on",
        "bytea_output": "hex",
        "extra_float_digits": "3",
        // The text of money depends on it, in both directions.
        "lc_monetary": "C",
        // An error is better than rows that a policy filters out silently.
        "row_security": "off",
        // The order of rows should not depend on other sessions that read the table.
        "synchronize_seqscans": "off",
        "idle_in_transaction_session_timeout": "0",
        "lock_timeout": "0",
        "statement_timeout": "0",
        "transaction_timeout": "0",
    ]

    private static let restoring = [
        "client_min_messages": "warning",
        "default_transaction_read_only": "off",
        "standard_conforming_strings": "on",
        "xmloption": "content",
    ]
}
