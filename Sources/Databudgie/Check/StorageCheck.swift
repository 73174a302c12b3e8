import Foundation
import Storage

/// Looks at the locations of a run: their credentials, what is allowed there, and the sets in them.
struct StorageCheck: Sendable {
    let run: CheckedRun

    private var settings: RunSettings { run.settings }

    /// Looks at everything that needs no database.
    ///
    /// - Throws: `CancellationError`.
    func check() async throws -> [CheckFinding] {
        let locations: CheckedLocations
        do {
            locations = try CheckedLocations(run)
        } catch {
            return run.findings(.location, error)
        }
        // A check is no dry run: what a dry run would not write is not tried at all.
        return try await StorageRouter.withStorages(settings.s3, variables: settings.variables, isDryRun: false) {
            storages -> [CheckFinding] in
            var findings: [CheckFinding] = []
            let remote = locations.folders.filter { if case .s3 = $0 { true } else { false } }
            let local = locations.folders.filter { if case .s3 = $0 { false } else { true } }
            let credentials = try await checkCredentials(remote, storages)
            findings += credentials
            findings += try await checkFolders(
                credentials.isWithoutProblems ? local + remote : local,
                data: locations.dataFolders,
                storages
            )
            if let difference = (storages.s3 as? S3Storage)?.clockDifference {
                findings.append(run.clock(difference, of: "the clock of S3"))
            }
            return findings + (try await checkCatalog(after: findings))
        }
    }

    /// Reads the sets, unless their folder is out of reach.
    private func checkCatalog(after findings: [CheckFinding]) async throws -> [CheckFinding] {
        let name = settings.catalog?.description ?? ""
        let isReached =
            !findings.contains { finding in
                finding.outcome == .problem && finding.subject == .credentials && name.startsWithBytes(of: "s3://")
                    || finding.subject == .location && finding.outcome != .ok && finding.outcome != .warning
                        && finding.name?.hasBytes(of: name) == true
            }
        // What a dry run does not write can be read.
        guard isReached || settings.isDryRun else {
            return [run.finding(.skipped, .catalog, "not read, because it is out of reach", of: name)]
        }
        return try await CatalogCheck(run: run).check()
    }

    private func checkCredentials(_ remote: [StoragePath], _ storages: StorageRouter) async throws -> [CheckFinding] {
        guard !remote.isEmpty, let s3 = storages.s3 as? S3Storage else { return [] }
        do {
            let identity = try await s3.identity()
            return [credentials(identity)]
        } catch {
            try Task.checkCancellation()
            let names = remote.map(\.description).listed(atMost: 3)
            return run.findings(.credentials, error)
                + [run.finding(.skipped, .location, "not checked without credentials", of: names)]
        }
    }

    private func credentials(_ identity: S3Identity) -> CheckFinding {
        let begin = "from \(identity.source), for \(identity.endpoint)"
        guard let end = identity.expiration else {
            guard identity.isTemporary else { return run.finding(.ok, .credentials, begin + ", without an end") }
            return run.finding(
                .warning,
                .credentials,
                begin + ": they are temporary, and nothing says when they end",
                hint: "renew them before each run, or use a source that renews them, such as a profile or a role"
            )
        }
        let left = HumanNumber.age(end.timeIntervalSinceNow)
        let time = RunTimestamp(end).timestamp
        return run.finding(.ok, .credentials, begin + ", until \(time)Z (\(left)), and renewed from there before")
    }

    /// Tries each folder as a run uses it: data files alone have the storage class of the configuration.
    private func checkFolders(
        _ folders: [StoragePath],
        data: Set<StoragePath>,
        _ storages: StorageRouter
    ) async throws -> [CheckFinding] {
        let results = try await folders.concurrentMap(limit: 4) { folder in
            let storage = data.contains(folder) ? storages.storage(forDataAt: folder) : storages.storage(for: folder)
            return try await LocationProbe(run: run, folder: folder, storage: storage).check()
        }
        return results.enumerated().flatMap { number, result -> [CheckFinding] in
            let first = results[..<number].first {
                $0.failure == result.failure && $0.folder.isInBucket(of: result.folder)
            }
            guard let failure = result.failure, Self.failuresOfBuckets.contains(failure), let first else {
                return result.findings
            }
            return [
                run.finding(.skipped, .location, "as \(first.folder)", of: result.folder.description)
            ]
        }
    }

    /// Failures that do not depend on the folder.
    private static let failuresOfBuckets: Set<StorageError.Code> = [
        .noSuchBucket, .wrongCredentials, .expiredCredentials, .clockSkew, .timedOut, .unavailable, .untrustedServer,
        .invalidConfiguration,
    ]
}

extension StoragePath {
    fileprivate func isInBucket(of other: StoragePath) -> Bool {
        guard case (.s3(let bucket, _), .s3(let otherBucket, _)) = (self, other) else { return false }
        return bucket.hasBytes(of: otherBucket)
    }
}

/// The folders in which a run writes or reads, as far as the configuration alone says it.
struct CheckedLocations {
    /// Each once, sorted, without a variable in its path.
    let folders: [StoragePath]
    /// Those of them that data files are written to or read from.
    let dataFolders: Set<StoragePath>

    /// - Throws: `StorageError` for a location that is not a path; ``ConfigurationError`` for a broken template.
    init(_ run: CheckedRun) throws {
        let tables =
            switch run.kind {
            case .backup: run.configuration.backup.tables.map(\.options.location)
            case .restore: run.configuration.restore.tables.map(\.options.location)
            }
        let definitions = run.settings.definitions
        dataFolders = Set(try tables.map { try $0.constantFolder() })
        let others = definitions.isEnabled ? [try definitions.location.constantFolder()] : []
        let catalog = run.settings.catalog.map { [$0] } ?? []
        folders = dataFolders.union(others + catalog).sorted()
    }
}
