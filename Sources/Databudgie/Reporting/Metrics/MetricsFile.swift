import Foundation
import Postgres
import Storage
import SystemPackage

/// Writes what monitoring wants to know of a run to a file for the textfile collector of Prometheus's node_exporter.
struct MetricsFile: Sendable {
    private let path: String
    private let configuration: Configuration
    private let kind: RunKind
    private let environment: RunEnvironment

    /// The largest file that is read; one of ours has a few KiB.
    private static let largest = 1 << 20

    /// - Returns: nil when the configuration names no file.
    init?(_ configuration: Configuration, _ kind: RunKind, _ environment: RunEnvironment) {
        guard let path = configuration.run(for: kind).metrics else { return nil }
        (self.path, self.configuration, self.kind, self.environment) = (path, configuration, kind, environment)
    }

    /// Replaces the file at once by one that knows of this run; what it says of runs of the other kind stays.
    ///
    /// - Parameter summary: How the run ended.
    /// - Returns: A warning when the file is not written.
    func write(_ summary: RunSummary) async -> Finding? {
        do {
            guard let earlier = try earlier() else {
                return .warning(
                    "metrics are not written: \(path) is not a file of metrics of databudgie",
                    hint: "name another one under 'metrics', or remove it"
                )
            }
            let metrics = RunMetrics(
                summary,
                of: kind,
                newest: await newest(summary, earlier),
                after: earlier,
                labels: labels
            )
            let others = earlier.lines(without: kind)
            // In the same order whichever ran last.
            let text = kind == .backup ? metrics.text + others : others + metrics.text
            // Whatever the umask is: the collector is another user.
            try FileReplacement(of: FilePath(path), mode: 0o644).write(text)
            return nil
        } catch {
            let reason = (error as? Errno).map { "\($0)" } ?? ErrorText(error).message
            return .warning(
                "metrics are not written to \(path): \(reason)",
                hint: "check that the folder exists and that you may write there"
            )
        }
    }

    /// Few, and the same in every run: files of different names never collide.
    private var labels: [(name: String, value: String)] {
        let file = FilePath(path).stem ?? ""
        let database = configuration.run(for: kind).connection?.keywords["dbname"]
        return [("name", file)] + (database.map { [("database", $0)] } ?? [])
    }

    /// The newest complete set: that of this run, else what the catalog knows, else what the file says while nobody can know.
    private func newest(_ summary: RunSummary, _ earlier: EarlierMetrics) async -> NewestSet? {
        guard kind == .backup, let folder = configuration.catalog(for: kind) else { return nil }
        if summary.status == .complete, let moment = summary.set.flatMap({ RunTimestamp(id: $0)?.moment }) {
            return NewestSet(moment: moment, finishedAt: summary.time)
        }
        let (run, environment) = (configuration.run(for: kind), environment)
        do {
            let found: NewestSet?? = try await abandoning(after: environment.notificationTimeLimit) {
                try await StorageRouter.withStorages(of: run, in: environment) { storages in
                    try await SetCatalog(folder: folder, storages: storages).newestComplete()
                }
            }
            if let found { return found }
        } catch {
            // Why it cannot be read, the run itself has found out.
        }
        return earlier.value(of: .newestSet, kind).map {
            NewestSet(moment: Date(timeIntervalSince1970: $0), finishedAt: nil)
        }
    }

    /// - Returns: What the file says; nil when it is not ours.
    private func earlier() throws -> EarlierMetrics? {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.nonBlocking])
        } catch Errno.noSuchFileOrDirectory {
            return EarlierMetrics()
        }
        defer { try? file.close() }
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        // A pipe or a device is nothing that can be replaced.
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.largest + 1)
        var count = 0
        while count < bytes.count {
            let read = try bytes.withUnsafeMutableBytes { buffer in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            }
            if read == 0 { break }
            count += read
        }
        guard count <= Self.largest else { return nil }
        return EarlierMetrics(String(decoding: bytes[..<count], as: UTF8.self))
    }
}

extension SetCatalog {
    /// The newest set that is complete and has all of its files.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: `StorageError`.
    fileprivate func newestComplete() async throws -> NewestSet? {
        for entry in try await entries() where entry.record != nil {
            guard case .success(let summary) = try await FileFailure.result({ try await summary(entry.id) }),
                summary.isWhole, let moment = RunTimestamp(id: entry.id)?.moment
            else { continue }
            return NewestSet(moment: moment, finishedAt: summary.finishedAt)
        }
        return nil
    }
}
