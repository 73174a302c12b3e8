import Synchronization

extension RunMember {
    /// From so many jobs on, small files are published while the next tables are read.
    static let manyJobs = 32

    /// How many are published at once: a storage far away takes as many in the time of one.
    private static let publishedAtOnce = 32

    /// Takes jobs until none is left, and publishes small files while it reads the next tables.
    ///
    /// - Throws: What ends the run, when everything that was begun has ended.
    func workPublishing() async throws {
        let failure = FirstFailure()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await failure.recording { try await readAndPublish(failure) } }
            group.addTask { await failure.wait() }
            // What ends the run ends the reading as well, which may wait for something else.
            await group.next()
            group.cancelAll()
        }
        try failure.rethrow()
    }

    private func readAndPublish(_ failure: FirstFailure) async throws {
        try await withThrowingTaskGroup(of: Void.self) { publications in
            var running = 0
            while let piece = try await next() {
                let job = piece.job
                if case .range(let split, let index) = piece {
                    guard try await self.export(index, of: split) else { break }
                    continue
                }
                guard let export = begin(job) else { continue }
                let publication: JobExport.Publication
                do {
                    publication = try await export.read()
                } catch {
                    guard try failed(job, error) else { break }
                    continue
                }
                if running == Self.publishedAtOnce {
                    try await publications.next()
                    running -= 1
                }
                publications.addTask { await failure.recording { try await publish(job, publication) } }
                running += 1
                warnOfAge()
            }
            try await publications.waitForAll()
        }
    }

    private func publish(_ job: BackupJob, _ publication: JobExport.Publication) async throws {
        do {
            try await finish(job, try await publication())
        } catch {
            // Of a storage or the manifest: the connection that reads is not concerned.
            _ = try failed(job, error)
        }
    }
}

/// The first of several failures, which is waited for.
private final class FirstFailure: Sendable {
    private let error = Mutex<(any Error)?>(nil)
    private let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// Runs the body, and records its failure.
    func recording(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            // What was interrupted says nothing of the reason.
            self.error.withLock { if $0 == nil || $0 is CancellationError { $0 = error } }
            signal.yield()
        }
    }

    /// Waits for a failure, or for the end of its task.
    func wait() async {
        for await _ in signals { return }
    }

    func rethrow() throws {
        if let error = error.withLock({ $0 }) { throw error }
    }
}
