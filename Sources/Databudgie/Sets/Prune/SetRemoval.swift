import Foundation
import Storage

/// Removes one set.
///
/// It marks the set as unfinished, removes its record, then its files, and the mark at last: a crash leaves a set that is
/// listed and whole, or one that is marked and not listed.
struct SetRemoval {
    private let deletion: SetDeletion
    private let catalog: SetCatalog
    private let now: Date

    /// - Parameters:
    ///   - deletion: What is removed.
    ///   - catalog: Where its record is.
    ///   - now: The moment of the removal, for the mark.
    init(_ deletion: SetDeletion, from catalog: SetCatalog, now: Date) {
        (self.deletion, self.catalog, self.now) = (deletion, catalog, now)
    }

    /// Removes the set, or says why it stays, or what stays of it.
    ///
    /// - Throws: ``DatabudgieError``; errors of the storage that are not its refusals, as they are.
    func run() async throws {
        let records: [StoragePath: [UInt8]]
        do {
            await FailPoint.reached(.removalUnmarked)
            records = try await readRecords()
            try await mark()
            await FailPoint.reached(.removalMarked)
            // Alone: what is deleted together may be deleted in any order.
            try await catalog.storages.delete(Array(deletion.records.prefix(1)))
            await FailPoint.reached(.recordRemoved)
        } catch let error as StorageError {
            await catalog.release(deletion.id)
            throw Self.refusal(of: deletion.id, error)
        }
        do {
            try await catalog.storages.delete(deletion.records.dropFirst() + deletion.files)
            await FailPoint.reached(.filesRemoved)
            try await catalog.storages.delete([catalog.runningPath(of: deletion.id)])
            await FailPoint.reached(.removalFinished)
        } catch let error as StorageError {
            guard await isStillWhole(), await putBack(records) else {
                throw DatabudgieError(
                    .storage,
                    "files are left of the set \(deletion.id), whose record is removed: \(error.message)",
                    hint:
                        "when that is solved, remove them with 'databudgie prune --orphans', a day later at the earliest",
                    underlying: error
                )
            }
            throw Self.refusal(of: deletion.id, error)
        }
    }

    private static func refusal(of id: String, _ error: StorageError) -> DatabudgieError {
        DatabudgieError(
            .storage,
            "the set \(id) cannot be removed: \(error.message)",
            hint: error.hint,
            underlying: error
        )
    }

    /// Without space for a mark nothing is left to find what a crash would leave; but a full disk is why sets are removed.
    private func mark() async throws {
        do {
            try await catalog.markRemoval(RunningMark(id: deletion.id, startedAt: now, removes: true))
        } catch let error as StorageError where error.code == .outOfSpace {
            return
        }
    }

    // MARK: Files that must stay

    /// The record and what is beside it, to put back if no file may be removed.
    private func readRecords() async throws -> [StoragePath: [UInt8]] {
        var records: [StoragePath: [UInt8]] = [:]
        for path in deletion.records {
            do {
                records[path] = try await catalog.bytes(of: path)
            } catch let error as StorageError where error.code == .notFound {
                continue
            }
        }
        return records
    }

    /// Whether no file of the set is gone; a set without files of its own has nothing that could be left.
    private func isStillWhole() async -> Bool {
        guard !deletion.files.isEmpty else { return false }
        let storages = catalog.storages
        let found = try? await deletion.files.concurrentMap(limit: 8) { path in
            try await storages.storage(for: path).info(path) != nil
        }
        return found?.allSatisfy(\.self) ?? false
    }

    /// Makes a set of it again.
    ///
    /// - Returns: Whether its record is there.
    private func putBack(_ records: [StoragePath: [UInt8]]) async -> Bool {
        // The record last: what is listed has all that belongs to it.
        for path in deletion.records.reversed() {
            guard let bytes = records[path] else { continue }
            do {
                _ = try await catalog.storages.storage(for: path).write(
                    path,
                    ifExists: .replace,
                    from: SingleChunk(bytes)
                )
            } catch {
                return false
            }
        }
        await catalog.release(deletion.id)
        return true
    }
}
