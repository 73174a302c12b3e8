import Postgres

/// Says in our words what some errors of the server mean for a job.
enum ExportFailure {
    /// Adds what the user can do.
    ///
    /// - Parameters:
    ///   - error: What the server said.
    ///   - rowsBefore: How many rows had arrived.
    ///   - block: The block of the table whose row was the first.
    /// - Returns: An error of ours, or the same.
    static func explained(_ error: PostgresError, rowsBefore: Int, from block: UInt32 = 0) -> any Error {
        // An internal error, which the server does not translate.
        let isTooLarge =
            error.sqlState == "54000" || error.message.utf8.starts(with: "invalid memory alloc request".utf8)
        if isTooLarge {
            return DatabudgieError(
                .database,
                "row \(rowsBefore + 1)\(block == 0 ? "" : ", from ctid (\(block),0) on,") exceeds the server's limit of 1 GB for a value and for the text of a row: "
                    + error.fullMessage,
                hint:
                    "export it in parts by a query, with substring() for example; the text of a bytea is twice its size",
                underlying: error
            )
        }
        if error.code != .connectionLost, RecoveryConflict.isConflict(error) {
            return DatabudgieError(.database, error.fullMessage, hint: RecoveryConflict.hint, underlying: error)
        }
        if error.sqlState == "42501", error.sourceFunction == "check_enable_rls" {
            return DatabudgieError(
                .database,
                error.fullMessage,
                hint:
                    "set 'row_security: true' to export only the rows that the role can see, or connect as a role with "
                    + "BYPASSRLS",
                underlying: error
            )
        }
        return error
    }
}
