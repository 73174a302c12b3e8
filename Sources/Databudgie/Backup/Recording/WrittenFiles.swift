import Storage
import Synchronization

/// What a backup has written so far: the files that its set will consist of.
///
/// Several tasks write definitions, hence the lock.
final class WrittenFiles: Sendable {
    /// A job of the plan whose file is complete.
    enum Part: Sendable {
        /// This run has written it.
        case written(BackupJob, JobOutcome)
        /// An earlier run has.
        case kept(BackupJob, StoragePath)
    }

    private struct State {
        var parts: [Part] = []
        var definitions: [StoredFile] = []
        /// Those that no other run can have: their names hold this run's timestamp.
        var uniquePaths: [StoragePath] = []
        /// All others, which may have replaced those of earlier runs.
        var sharedPaths: [StoragePath] = []

        mutating func add(_ paths: [StoragePath], isUnique: Bool) {
            if isUnique { uniquePaths += paths } else { sharedPaths += paths }
        }
    }

    private let storages: StorageRouter
    private let state = Mutex(State())

    init(storages: StorageRouter) {
        self.storages = storages
    }

    /// The jobs whose files are complete, in the order in which they ended.
    var parts: [Part] { state.withLock { $0.parts } }
    /// The files with definitions.
    var definitions: [StoredFile] { state.withLock { $0.definitions } }
    /// The files that may have replaced those of earlier runs.
    var sharedPaths: [StoragePath] { state.withLock { $0.sharedPaths } }

    func add(_ job: BackupJob, _ outcome: JobOutcome) {
        state.withLock { state in
            state.parts.append(.written(job, outcome))
            state.add(job.paths, isUnique: job.isUniquePath)
        }
    }

    /// Adds a file that an earlier run has written and that takes the place of the job's own.
    func add(_ job: BackupJob, keptAt path: StoragePath) {
        state.withLock { $0.parts.append(.kept(job, path)) }
    }

    func add(_ definition: StoredFile, isUnique: Bool) {
        state.withLock { state in
            state.definitions.append(definition)
            state.add([definition.path], isUnique: isUnique)
        }
    }

    /// Removes what no other run can have, if possible, before it is written again under another timestamp or from another
    /// snapshot.
    func remove() async {
        let paths = state.withLock { state in
            defer { state = State() }
            return state.uniquePaths
        }
        // A task of its own, because the run may have been cancelled.
        await Task {
            for path in paths { try? await storages.storage(for: path).delete([path]) }
        }.value
    }
}
