import Crypto
import Foundation
import Storage

/// Verifies one set.
struct SetCheck {
    let catalog: SetCatalog
    let level: SetVerification.Level
    /// How many files are read at once.
    let jobs: Int
    let partSize: Int64
    /// Nothing is stored.
    let isDryRun: Bool
    let inPlace: FilesInPlace
    /// What is done after the files were read; nil below the level `restore`.
    let trial: SetTrial?
    /// The moment of the verification.
    let now: Date
    let onEvent: @Sendable (VerificationEvent) -> Void

    /// Compares the files of a set with its record, and stores the result.
    ///
    /// - Parameters:
    ///   - id: The id of the set.
    ///   - record: Its record.
    /// - Returns: What was found.
    /// - Throws: What keeps all files from being read: `StorageError`, ``DatabudgieError``; `CancellationError`.
    func run(_ id: String, _ record: SetRecord) async throws -> VerifiedSet {
        let start = ContinuousClock.now
        var verified = VerifiedSet(id: id, level: level, record)
        if let newer = record.supersededBy {
            verified.outcome = .superseded(by: newer)
        } else {
            try await trial?.check(record)
            let collector = DamageCollector(paths: catalog.paths) { onEvent(.found(set: id, $0, file: $1)) }
            verified.totals = try await check(record, id, collector)
            try collector.concludeDenied()
            if let archived = collector.archivedFiles {
                onEvent(.progress(.found(.warning(archived.first.message, hint: archived.first.hint))))
                guard !collector.damages.isEmpty else { return conclude(&verified, archived.count, since: start) }
            }
            checkTotals(of: record, collector)
            let areFilesGood = collector.damages.isEmpty
            if let trial { try await tryOut(record, trial, collector, &verified) }
            verified.unhashedFiles = collector.unhashedFiles
            verified.outcome = try await outcome(of: id, collector.damages)
            if areFilesGood, case .damaged(let findings) = verified.outcome { verified.outcome = .failed(findings) }
            verified.isStored = await store(verified)
        }
        verified.duration = .now - start
        onEvent(.ended(verified))
        return verified
    }

    /// Ends the verification of a set some of whose files cannot be read yet; nothing is stored, because nothing is known.
    private func conclude(
        _ verified: inout VerifiedSet,
        _ archived: Int,
        since start: ContinuousClock.Instant
    ) -> VerifiedSet {
        verified.outcome = .archived(files: archived)
        verified.duration = .now - start
        onEvent(.ended(verified))
        return verified
    }

    /// How thoroughly files are read.
    private var fileLevel: SetVerification.Level { level == .restore ? .rows : level }

    /// Tries out a set whose files are as its record says.
    private func tryOut(
        _ record: SetRecord,
        _ trial: SetTrial,
        _ collector: DamageCollector,
        _ verified: inout VerifiedSet
    ) async throws {
        func found(_ finding: Finding) { onEvent(.progress(.found(finding))) }
        guard collector.damages.isEmpty else {
            return found(.warning("the set \(record.id) is not restored, because its files are damaged"))
        }
        guard !isDryRun else {
            verified.level = fileLevel
            return found(.warning("the set \(record.id) is not restored in a dry run: its files alone are verified"))
        }
        verified.differences = try await trial.run(record, catalog, collector)
        for difference in verified.differences { onEvent(.found(set: record.id, difference, file: nil)) }
    }

    private func check(_ record: SetRecord, _ id: String, _ collector: DamageCollector) async throws -> TransferTotals {
        let files = record.files
        guard level != .files else {
            onEvent(.began(set: id, level, []))
            try await inPlace.check(files, collector, jobs: jobs)
            return .zero
        }
        let onEvent = onEvent
        let checks = files.compactMap { file -> DataFileCheck? in
            guard let number = file.tableNumber, let recorded = record.tables[number].file else { return nil }
            let table = record.tables[number]
            return DataFileCheck(file, of: table, recorded, level: fileLevel, collector, partSize: partSize) {
                onEvent(.progress($0))
            }
        }
        onEvent(.began(set: id, fileLevel, checks.map(\.plannedJob)))
        let storages = catalog.storages
        let opened = try await checks.sorted { $0.file.bytes > $1.file.bytes }
            .concurrentMap(limit: jobs) { try await $0.open(storages) }
        // Large files first, small ones in what is left of the time.
        _ = try await opened.flatMap(\.self).concurrentMap(limit: jobs) { try await $0.check.read($0, storages) }
        _ = try await files.filter { $0.tableNumber == nil }.concurrentMap(limit: jobs) { file in
            try await checkWhole(file, collector)
        }
        return checks.reduce(.zero) { $0 + $1.meter.totals }
    }

    /// Compares a file that has one hash.
    @concurrent
    private func checkWhole(_ file: SetFile, _ collector: DamageCollector) async throws {
        try await collector.examining(file) { path in
            let bytes = try await catalog.storages.storage(for: path).read(path)
            collector.checkSize(bytes.info.size, of: file)
            var hash = SHA256()
            for try await chunk in bytes { hash.update(data: chunk) }
            guard let recorded = file.sha256 else { return onEvent(.progress(.found(collector.noteUnhashed(file)))) }
            if bytes.info.size == file.bytes, !hexadecimal(hash.finalize()).hasBytes(of: recorded) {
                collector.add(DamageCollector.otherBytes, of: file)
            }
        }
    }

    private func checkTotals(of record: SetRecord, _ collector: DamageCollector) {
        guard fileLevel == .rows, let rows = record.totals.rows else { return }
        let sum = record.tables.reduce(0) { $0 &+ ($1.rows ?? 0) }
        guard rows != sum else { return }
        collector.add("the record of the set \(record.id) says \(rows) rows in all, and \(sum) in its tables", of: nil)
    }

    /// What the findings mean, after a look at what became of the set meanwhile.
    private func outcome(of id: String, _ damages: [SetVerification.Damage]) async throws -> VerifiedSet.Outcome {
        guard !damages.isEmpty else { return .ok }
        let result = try await FileFailure.result { try await catalog.summary(id) }
        switch result {
        case .success(let summary):
            if let newer = summary.supersededBy { return .superseded(by: newer) }
        case .failure(let error):
            if (error.underlying as? StorageError)?.code == .notFound { return .removed }
        }
        let running = try await catalog.entries().last { $0.id > id && $0.running != nil && $0.record == nil }
        if let running {
            onEvent(
                .progress(
                    .found(
                        .warning(
                            "a backup has begun as \(running.id): it may be replacing files of the set \(id)",
                            hint: "verify again when it has ended"
                        )
                    )
                )
            )
        }
        return .damaged(damages)
    }

    /// - Returns: False when the storage does not take it, and in a dry run.
    private func store(_ verified: VerifiedSet) async -> Bool {
        guard !isDryRun, let result = verified.result(at: now) else { return false }
        do {
            try await catalog.store(result)
            return true
        } catch is CancellationError {
            return false
        } catch {
            let text = ErrorText(error)
            onEvent(.progress(.found(.warning("the result is not stored: \(text.message)", hint: text.hint))))
            return false
        }
    }
}
