import Testing

@testable import Databudgie

@Suite("The end of transactions that belong together")
struct JointEndTests {
    private struct Trouble: Error {}

    @Test("The workers commit when all work is done, and the leader after them")
    func order() async throws {
        let end = JointEnd(count: 3)
        #expect(end.join() && end.join())
        #expect([end.next(), end.next(), end.next(), end.next()] == [0, 1, 2, nil])
        // Nothing is left for a third one.
        #expect(!end.join())
        let first = Task { try await end.waitForCommit() }
        let second = Task { try await end.waitForCommit() }
        let leader = Task { try await end.commitWorkers() }
        try await first.value
        try await second.value
        #expect(end.mayBeCommitted)
        end.end(nil, hadWorked: true)
        end.end(nil, hadWorked: true)
        try await leader.value
    }

    @Test("A leader without workers commits alone")
    func alone() async throws {
        let end = JointEnd(count: 1)
        #expect(end.next() == 0)
        try await end.commitWorkers()
        #expect(!end.mayBeCommitted)
    }

    @Test("When a worker fails before the others have committed, nobody commits")
    func failedWorker() async throws {
        let end = JointEnd(count: 9)
        #expect(end.join() && end.join())
        let waiting = Task { try await end.waitForCommit() }
        end.end(Trouble(), hadWorked: false)
        #expect(end.next() == nil)
        await #expect(throws: JointEnd.Abandoned.self) { try await waiting.value }
        await #expect(throws: JointEnd.WorkerFailure.self) { try await end.commitWorkers() }
        #expect(!end.mayBeCommitted)
    }

    @Test("When a worker fails to commit, the leader does not commit, and knows that others may have")
    func failedCommit() async throws {
        let end = JointEnd(count: 2)
        #expect(end.join() && end.join())
        _ = (end.next(), end.next())
        let first = Task { try await end.waitForCommit() }
        let second = Task { try await end.waitForCommit() }
        let leader = Task { try await end.commitWorkers() }
        try await first.value
        try await second.value
        end.end(Trouble(), hadWorked: true)
        end.end(nil, hadWorked: true)
        await #expect(throws: JointEnd.WorkerFailure.self) { try await leader.value }
        #expect(end.mayBeCommitted)
    }

    @Test("When the leader fails, workers that wait do not commit")
    func failedLeader() async throws {
        let end = JointEnd(count: 2)
        #expect(end.join())
        let worker = Task { try await end.waitForCommit() }
        end.abandon(Trouble())
        await #expect(throws: JointEnd.Abandoned.self) { try await worker.value }
        #expect(!end.mayBeCommitted && !end.join())
    }

    @Test("Waiting ends when the task is cancelled")
    func cancellation() async throws {
        let end = JointEnd(count: 2)
        #expect(end.join())
        let leader = Task { try await end.commitWorkers() }
        leader.cancel()
        await #expect(throws: CancellationError.self) { try await leader.value }
    }
}
