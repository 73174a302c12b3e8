import Postgres

extension PostgresError {
    /// The error is about the server or the way to it, and says nothing about what the server was asked.
    ///
    /// These are the classes of connection exceptions, insufficient resources, operator interventions and system errors
    /// (PostgreSQL documentation, appendix A).
    var isServerTrouble: Bool {
        guard code == .serverError, let sqlState else { return true }
        return ["08", "53", "57", "58"].contains(String(decoding: sqlState.utf8.prefix(2), as: UTF8.self))
    }
}
