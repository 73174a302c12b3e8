import Foundation
import Storage

/// Tries what a run does in a folder: a backup writes, reads and removes a small file of its own, a restore lists files.
struct LocationProbe: Sendable {
    let run: CheckedRun
    let folder: StoragePath
    let storage: any Storage

    private static let content = Array("Written by 'databudgie check', and removed at once.\n".utf8)

    /// What was found, and the kind of failure that it is.
    struct Result: Sendable {
        let folder: StoragePath
        var findings: [CheckFinding]
        var failure: StorageError.Code?
    }

    /// Tries it, and leaves nothing behind.
    ///
    /// - Throws: `CancellationError`, after it has removed its file.
    func check() async throws -> Result {
        do {
            return Result(folder: folder, findings: try await run.kind == .backup ? write() : list())
        } catch {
            try Task.checkCancellation()
            return Result(
                folder: folder,
                findings: run.findings(.location, error, of: folder.description),
                failure: (error as? StorageError)?.code
            )
        }
    }

    private func list() async throws -> [CheckFinding] {
        _ = try await storage.list(folder)
        return [run.finding(.ok, .location, "files can be listed", of: folder.description)]
    }

    private func write() async throws -> [CheckFinding] {
        guard !run.settings.isDryRun else {
            return [run.finding(.skipped, .location, "not written to, because of --dry-run", of: folder.description)]
        }
        // Says best what is wrong with a bucket or a folder.
        try await storage.checkWritable(folder)
        let file = try await place().appending("\(S3Storage.probeName)-\(UUID().uuidString.lowercased())")
        if let refusal = try await refusalToDelete(file) { return [refusal] }
        let tried: Swift.Result<[CheckFinding], any Error>
        do {
            tried = .success(try await writeAndRead(file))
        } catch {
            tried = .failure(error)
        }
        // A task of its own: whatever has ended the check, what it has written is removed.
        try await Task { try await storage.delete([file]) }.value
        return try tried.get()
    }

    /// A folder that does not exist is not created.
    private func place() async throws -> StoragePath {
        guard case .local = folder else { return folder }
        return try await LocalStorage().volume(of: folder).folder
    }

    /// What cannot be removed must not be written: servers refuse it before they look whether it exists.
    private func refusalToDelete(_ file: StoragePath) async throws -> CheckFinding? {
        do {
            try await storage.delete([file])
            return nil
        } catch let error as StorageError where error.code == .accessDenied {
            return run.finding(
                .warning,
                .location,
                "files can be written, but not removed, so none was tried: 'prune' and 'cleanup' have to run elsewhere",
                of: folder.description,
                hint: "grant s3:DeleteObject, if this machine is to remove old sets"
            )
        }
    }

    private func writeAndRead(_ file: StoragePath) async throws -> [CheckFinding] {
        _ = try await storage.write(file, ifExists: .fail, from: SingleChunk(Self.content))
        let done =
            try await hasConditions(file)
            ? "existing files are never replaced"
            : "the server has no conditional writes, so databudgie looks before it writes"
        do {
            let read = try await storage.read(file).collect(upTo: 4 * Self.content.count)
            guard read == Self.content else {
                throw StorageError(
                    .corrupted,
                    "\(file) was written, and its content was different when it was read",
                    hint: "check the server, and what is between it and this machine",
                    path: file
                )
            }
        } catch let error as StorageError where error.code == .archived {
            // As it has to be with some classes of storage.
            let message = "a file was written and removed, but is archived there, and cannot be read at once; "
            return [run.finding(.ok, .location, message + done, of: folder.description)]
        } catch let error as StorageError where error.code == .accessDenied {
            return [
                run.finding(
                    .warning,
                    .location,
                    "a file was written and removed, but could not be read: 'verify' and 'restore' have to run elsewhere",
                    of: folder.description,
                    hint: "grant s3:GetObject, if this machine is to read its backups"
                )
            ]
        }
        return [
            run.finding(
                .ok,
                .location,
                "a file was written, read and removed; " + done,
                of: folder.description
            )
        ]
    }

    /// Whether the storage itself refuses to replace a file; disks always do.
    private func hasConditions(_ file: StoragePath) async throws -> Bool {
        guard let s3 = storage as? S3Storage else { return true }
        return try await s3.refusesToReplace(file, Self.content)
    }
}
