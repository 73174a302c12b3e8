import Postgres

extension PostgresError {
    /// The error of a statement with masks: what may quote the value of a row is removed, names and the SQLSTATE remain.
    var withoutMaskedValues: PostgresError {
        guard code == .serverError else { return self }
        var error = self
        (error.detail, error.context) = (nil, nil)
        // What is too large to be sent has a message of its own.
        if message.startsWithBytes(of: "invalid memory alloc request") { return error }
        // The statement itself is what is wrong.
        if position != nil { return error }
        if let state = sqlState, Self.statesWithoutValues.contains(where: state.hasPrefix) { return error }
        var place: [String] = []
        if let columnName { place.append("the column \(columnName)") }
        if let constraintName { place.append("the constraint \(constraintName)") }
        error.message =
            "the server refused a value of a table with masks"
            + (place.isEmpty ? "" : " (\(place.joined(separator: ", ")))")
        error.hint = nil
        return error
    }

    /// Beginnings of SQLSTATEs that are about sessions, locks, resources and privileges (Postgres documentation, appendix A).
    private static let statesWithoutValues = [
        "08", "25", "28", "3D", "3F", "40", "42501", "53", "54", "55P03", "57", "58",
    ]
}
