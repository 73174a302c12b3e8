import Postgres

extension [DefinitionInstaller.Failure] {
    /// The same without repetitions, for a list that people read.
    ///
    /// An event trigger of the target says the same of every definition, and what follows is missing something for that
    /// reason alone.
    var withoutRepetitions: Self {
        // The class of PL/pgSQL: nothing but a function raises such an error (Postgres documentation, appendix A).
        let raised = filter { $0.sqlState.hasPrefix("P0") }
        guard raised.count > 1 else { return self }
        var counts: [ByteKey: Int] = [:]
        for failure in raised { counts[failure.words, default: 0] += 1 }
        return compactMap { failure in
            guard failure.sqlState.hasPrefix("P0") else {
                return DefinitionRunner.absences.contains(failure.sqlState) ? nil : failure
            }
            guard let count = counts.removeValue(forKey: failure.words) else { return nil }
            guard count > 1 else { return failure }
            let error = failure.error
            return DefinitionInstaller.Failure(
                table: failure.table,
                error: DatabudgieError(
                    error.code,
                    "\(error.message) (and \(count - 1) similar)",
                    hint: error.hint,
                    underlying: error.underlying
                )
            )
        }
    }
}

extension DefinitionInstaller.Failure {
    fileprivate var sqlState: String { (error.underlying as? PostgresError)?.sqlState ?? "" }

    /// What the server said, whatever the definition.
    fileprivate var words: ByteKey { ByteKey((error.underlying as? PostgresError)?.message ?? "") }
}
