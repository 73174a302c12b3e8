import Storage
import Synchronization

/// The files that a backup has written and that no other run can have: their names hold its timestamp.
///
/// Several tasks write definitions, hence the lock.
final class PublishedFiles: Sendable {
    private let storages: StorageRouter
    private let paths = Mutex<[StoragePath]>([])

    init(storages: StorageRouter) {
        self.storages = storages
    }

    func add(_ paths: [StoragePath]) {
        self.paths.withLock { $0 += paths }
    }

    /// Removes them, if possible, before they are written again under another timestamp or from another snapshot.
    func remove() async {
        let written = paths.withLock { paths in
            defer { paths = [] }
            return paths
        }
        // A task of its own, because the run may have been cancelled.
        await Task {
            for path in written { try? await storages.storage(for: path).delete([path]) }
        }.value
    }
}
