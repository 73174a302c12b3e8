import Crypto
import Foundation
import Storage
import Synchronization

/// Makes what a backup writes a set: claims an id before the first file, and writes the record after the last one.
struct SetRecording: Sendable {
    let catalog: SetCatalog
    let started: Date
    /// SHA-256 of the backup's settings, in hexadecimal digits.
    let configuration: String
    let entries: [SetRecord.Entry]
    let warnings: WarningGatherer
    let recorder: RunRecorder

    /// The recording of a run.
    ///
    /// - Parameters:
    ///   - session: Of the run.
    ///   - configuration: Of the backup.
    ///   - warnings: What the run warns of.
    /// - Returns: Nil when the run writes nothing, or when its locations have no folder in common, which is said.
    static func of(
        _ session: Session,
        _ configuration: BackupConfiguration,
        warnings: WarningGatherer
    ) -> SetRecording? {
        guard !session.settings.isDryRun else { return nil }
        guard let folder = session.settings.catalog else {
            session.recorder.found(unrecorded)
            return nil
        }
        var settings = configuration
        // The files are the same, whatever their number at once.
        settings.jobs = nil
        let text = ConfigurationPrinter().yaml(Configuration(backup: settings))
        return SetRecording(
            catalog: SetCatalog(folder: folder, storages: session.storages),
            started: session.settings.timestamp.moment,
            configuration: hexadecimal(SHA256.hash(data: Data(text.utf8))),
            entries: configuration.tables.compactMap { entry in
                let excluded = entry.options.exclude
                return entry.options.name.map {
                    SetRecord.Entry(name: $0, exclude: excluded.isEmpty ? nil : excluded)
                }
            },
            warnings: warnings,
            recorder: session.recorder
        )
    }

    /// What is said of a run whose files do not become a set.
    static let unrecorded = Finding.warning(
        "no set is recorded, because the locations have no folder in common",
        hint: "name the folder of the set records under 'catalog'"
    )

    /// Claims the id of a set.
    ///
    /// - Returns: False when it belongs to another run.
    /// - Throws: `StorageError`; ``DatabudgieError`` when the role may not write to the catalog.
    func claim(_ timestamp: RunTimestamp) async throws -> Bool {
        let mark = RunningMark(id: timestamp.timestamp, startedAt: started)
        do {
            return try await catalog.claim(mark)
        } catch let error as StorageError where error.code == .accessDenied {
            throw DatabudgieError(
                .storage,
                "the set cannot be recorded: \(error.message)",
                hint: error.hint ?? "allow writing to \(catalog.folder), or name another folder under 'catalog'",
                underlying: error
            )
        }
    }

    /// Gives the id up.
    func release(_ timestamp: RunTimestamp) async {
        await catalog.release(timestamp.timestamp)
    }

    /// What says in older records that a run replaces files of theirs.
    func superseding(by timestamp: RunTimestamp) -> Superseding {
        Superseding(catalog, by: timestamp.timestamp)
    }

    /// Writes the record of a run that has come to its end.
    ///
    /// - Parameters:
    ///   - timestamp: The claimed id.
    ///   - contents: Where the rows came from, and what has become of them.
    ///   - written: All files of the run; without any, no record is written.
    /// - Returns: The id of the set; nil when there is none.
    /// - Throws: `StorageError`, ``DatabudgieError``.
    func commit(
        _ timestamp: RunTimestamp,
        _ contents: SetContents,
        _ written: WrittenFiles
    ) async throws -> String? {
        let kept = try await KeptFiles(catalog: catalog).files(of: written.parts)
        var record = contents.record(
            id: timestamp.timestamp,
            written: written,
            kept: kept,
            paths: catalog.paths
        )
        guard record.totals.tables > 0 || !record.filePaths.isEmpty else {
            await release(timestamp)
            return nil
        }
        let unmasked = (record.masking?.unclassified ?? 0) - (contents.masking?.unclassified ?? 0)
        if unmasked > 0 {
            let columns = counted(unmasked, "column") + " of files of earlier runs"
            recorder.found(
                .warning(
                    "\(columns) \(unmasked == 1 ? "is" : "are") not masked as the configuration says",
                    hint: "begin a new run that writes all files"
                )
            )
        }
        (record.startedAt, record.config, record.entries) = (started, configuration, entries)
        record.warnings = warnings.sentences
        try await catalog.commit(record)
        try await written.superseding?.finish(written.sharedPaths)
        return record.id
    }
}

/// Gathers the warnings of a run for its record.
final class WarningGatherer: Sendable {
    private let gathered = Mutex<[String]>([])

    /// The sentences, in their order.
    var sentences: [String] { gathered.withLock { $0 } }

    /// A recorder that passes everything on.
    func gathering(_ recorder: RunRecorder) -> RunRecorder {
        RunRecorder { [self] event in
            if case .found(let finding) = event, finding.kind == .warning {
                gathered.withLock { $0.append(finding.sentence) }
            }
            recorder.onEvent(event)
        }
    }
}
