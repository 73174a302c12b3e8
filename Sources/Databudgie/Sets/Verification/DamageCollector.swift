import Compression
import Storage
import Synchronization

/// Gathers what is found in the files of a set, from all tasks that read them.
final class DamageCollector: Sendable {
    private struct State {
        var damages: [(order: Int, damage: SetVerification.Damage)] = []
        /// The files that have to be restored before they can be read.
        var archived: [(order: Int, error: DatabudgieError)] = []
        var denied: [(order: Int, damage: SetVerification.Damage, error: DatabudgieError)] = []
        var hasReadFiles = false
        /// The places of files in which something was found.
        var damagedFiles: Set<Int> = []
        var unhashedFiles = 0
    }

    /// What is said of bytes with another hash.
    static let otherBytes = "its bytes are not those that were written (SHA-256)"

    private let paths: RecordedPaths
    private let onDamage: @Sendable (SetVerification.Damage, _ file: String?) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - paths: How the record writes paths.
    ///   - onDamage: Receives what is found, with the path of the file.
    init(paths: RecordedPaths, onDamage: @escaping @Sendable (SetVerification.Damage, _ file: String?) -> Void) {
        self.paths = paths
        self.onDamage = onDamage
    }

    /// What was found, in the order of the record.
    var damages: [SetVerification.Damage] {
        state.withLock { state in
            state.damages.sorted { ($0.order, $0.damage.segment ?? 0) < ($1.order, $1.damage.segment ?? 0) }.map(
                \.damage
            )
        }
    }

    /// How many files have no recorded hashes.
    var unhashedFiles: Int { state.withLock { $0.unhashedFiles } }

    /// Adds something that was found.
    func add(_ message: String, of file: SetFile?, segment: Int? = nil, at offset: Int64? = nil) {
        let damage = SetVerification.Damage(
            table: file?.table,
            path: file?.path,
            segment: segment,
            offset: offset,
            message: message
        )
        state.withLock { state in
            state.damages.append((file?.order ?? .max, damage))
            if let file { state.damagedFiles.insert(file.order) }
        }
        onDamage(damage, file.map { (try? paths.path(of: $0.path).description) ?? $0.path })
    }

    /// Adds something that was found in no file, but in what was restored from it.
    func add(_ message: String, ofTable table: String?) {
        let damage = SetVerification.Damage(table: table, message: message)
        state.withLock { $0.damages.append((.max, damage)) }
        onDamage(damage, nil)
    }

    /// How many files are archived, and what was said of the first of them; nil when none is.
    var archivedFiles: (count: Int, first: DatabudgieError)? {
        let archived = state.withLock { $0.archived }
        return archived.min { $0.order < $1.order }.map { (archived.count, $0.error) }
    }

    /// What kept a file from being verified, or was found in it.
    func failure(of file: SetFile) -> String {
        state.withLock { state in
            state.archived.contains { $0.order == file.order } ? "the file is archived" : "the file is damaged"
        }
    }

    /// Whether something was found in a file, or kept it from being read.
    func isDamaged(_ file: SetFile) -> Bool {
        state.withLock { $0.damagedFiles.contains(file.order) }
    }

    /// Notes that a file of the set could be looked at.
    func noteRead() {
        state.withLock { $0.hasReadFiles = true }
    }

    /// Notes a file without recorded hashes.
    ///
    /// - Returns: The sentence about it.
    func noteUnhashed(_ file: SetFile) -> Finding {
        state.withLock { $0.unhashedFiles += 1 }
        return .note("\(file.path): no hashes are recorded, so only the form of the file is verified", of: file.table)
    }

    /// Runs what looks at one file, and adds what keeps it from being read.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - body: Looks at no other file.
    /// - Throws: What would fail for every other file too; `CancellationError`.
    nonisolated(nonsending) func examining(_ file: SetFile, _ body: (StoragePath) async throws -> Void) async throws {
        let result = try await FileFailure.result {
            let path = try paths.path(of: file.path)
            do {
                try await body(path)
            } catch let error as CompressionError where error.code != .libraryFailure {
                add(error.message, of: file, at: error.offset)
            }
        }
        guard case .failure(let error) = result else { return }
        switch (error.underlying as? StorageError)?.code {
        case .notFound: add("the file is missing", of: file)
        case .archived:
            // Not damage: whether there is any, nobody knows before the file is restored.
            state.withLock { state in
                state.archived.append((file.order, error))
                state.damagedFiles.insert(file.order)
            }
        case .accessDenied:
            // Not damage when it concerns all files: then the role is the wrong one.
            let damage = SetVerification.Damage(table: file.table, path: file.path, message: message(error, of: file))
            state.withLock { state in
                state.denied.append((file.order, damage, error))
                state.damagedFiles.insert(file.order)
            }
        default:
            add(message(error, of: file), of: file, at: (error.underlying as? CompressionError)?.offset)
        }
    }

    /// Turns files that may not be read into findings, unless no file of the set may be.
    ///
    /// - Throws: ``DatabudgieError`` when not one file could be looked at.
    func concludeDenied() throws(DatabudgieError) {
        let (denied, hasReadFiles) = state.withLock { state in
            defer { state.denied = [] }
            return (state.denied.sorted { $0.order < $1.order }, state.hasReadFiles)
        }
        guard let first = denied.first else { return }
        guard hasReadFiles else { throw first.error }
        for (order, damage, _) in denied {
            let file = SetFile(order: order, table: damage.table, path: damage.path ?? "", bytes: 0)
            add(damage.message, of: file)
        }
    }

    /// An error without the path, which the finding names anyway.
    private func message(_ error: DatabudgieError, of file: SetFile) -> String {
        let path = (try? paths.path(of: file.path).description) ?? file.path
        for separator in [": ", " "] where error.message.startsWithBytes(of: path + separator) {
            return String(decoding: error.message.utf8.dropFirst((path + separator).utf8.count), as: UTF8.self)
        }
        return error.message
    }
}
