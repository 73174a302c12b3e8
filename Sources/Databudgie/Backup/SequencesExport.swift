import Postgres
import Storage

/// Writes the file with the positions of one job's sequences.
struct SequencesExport {
    let storage: any Storage
    let job: BackupJob
    /// What ``SequenceReader`` has read for the whole run.
    let positions: [Relation.OID: Result<SequenceValue, any Error>]
    let isDryRun: Bool

    /// Writes the file; none when the job has no sequences.
    ///
    /// - Throws: ``DatabudgieError`` or `PostgresError` for a sequence that could not be read; `StorageError`.
    func write() async throws {
        guard !job.sequences.isEmpty else { return }
        let entries = try job.sequences.map { sequence in
            guard let position = try positions[sequence.oid]?.get() else {
                throw DatabudgieError(.internalInconsistency, "The sequence \(sequence.name) was not looked at.")
            }
            return (key: sequence.fileKey, position: position)
        }
        guard !isDryRun else { return }
        _ = try await storage.write(
            job.sequencesPath,
            ifExists: job.isUniquePath ? .fail : .replace,
            from: SingleChunk(try SequencesFile.bytes(entries))
        )
    }

    /// Removes the file after the rest of the job has failed, as far as that can be done.
    func remove() async {
        // A file that every run replaces may have been there before.
        guard !job.sequences.isEmpty, job.isUniquePath, !isDryRun else { return }
        // A task of its own, as the run may have been cancelled.
        await Task { [storage, job] in try? await storage.delete([job.sequencesPath]) }.value
    }
}
