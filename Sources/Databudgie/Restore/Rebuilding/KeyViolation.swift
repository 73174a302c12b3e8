import Postgres
import Storage

/// Rows of a load violate a key that is built after them.
struct KeyViolation: Error {
    /// What the key is called: `foreign key orders_customer`.
    let part: String
    let table: Relation.OID
    /// The numbers of the first few rows in the order of the table; empty when they are not known.
    let rows: [Int]
    let error: PostgresError

    /// The error for users, which names rows by their numbers: their values have no place in messages.
    ///
    /// - Parameters:
    ///   - job: What loads the table.
    ///   - areRowsInOrder: The table has the rows of the job's file, in the order of the file, and no others.
    /// - Returns: The error.
    func described(by job: RestoreJob, areRowsInOrder: Bool) -> DatabudgieError {
        let text = ErrorText(error)
        return DatabudgieError(
            .database,
            "\(job.file.path): \(subject(areRowsInOrder ? rows : [])) the \(part) of \(job.relation.name.label): \(text.message)",
            hint: text.hint ?? hint(job),
            underlying: error
        )
    }

    private func subject(_ rows: [Int]) -> String {
        switch rows.count {
        case 0: return "rows violate"
        case 1: return "row \(rows[0]) violates"
        default:
            let list = rows.dropLast().map(String.init).joined(separator: ", ") + " and \(rows[rows.count - 1])"
            return (rows.count < ViolationQueries.limit ? "" : "among others, ") + "rows \(list) violate"
        }
    }

    private func hint(_ job: RestoreJob) -> String {
        if error.sqlState == "23505", job.mode == .append, !job.isNew {
            return "set 'mode: upsert' or 'mode: skip_existing' if rows of the file may be in the table"
        }
        return "correct the rows, or set 'max_rejects' to set them aside in a file"
    }
}
