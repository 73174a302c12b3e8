import Postgres
import Testing

@testable import Databudgie

@Suite("The queue of a run's work")
struct WorkQueueTests {
    private func taken(_ queue: WorkQueue, _ count: Int) async throws -> [Int] {
        var numbers: [Int] = []
        for _ in 0..<count { numbers.append(try #require(try await queue.next(isLeader: false))) }
        return numbers
    }

    @Test("The biggest piece comes first, equal ones in their order, and one that needs others after them")
    func order() async throws {
        let queue = WorkQueue([
            .init(size: 1), .init(size: 9, needs: [0]), .init(size: 5), .init(size: 5), .init(size: 7, needs: [0, 1]),
        ])
        #expect(try await taken(queue, 3) == [2, 3, 0])
        async let next = queue.next(isLeader: false)
        queue.end(2)
        queue.end(0)
        #expect(try await next == 1)
        queue.end(1)
        #expect(try await queue.next(isLeader: false) == 4)
        #expect(try await queue.next(isLeader: false) == nil)
        async let end = queue.next(isLeader: true)
        queue.end(4)
        queue.end(3)
        #expect(try await end == nil)
    }

    @Test("What a running piece is in the way of waits, and a smaller one that is free comes before it")
    func conflicts() async throws {
        let queue = WorkQueue([
            .init(size: 9, locks: [1: .accessExclusive, 2: .rowShare]), .init(size: 8, locks: [1: .rowShare]),
            .init(size: 7, locks: [2: .rowExclusive]), .init(size: 6, locks: [2: .accessExclusive]),
        ])
        #expect(try await taken(queue, 2) == [0, 2])
        queue.end(0)
        #expect(try await taken(queue, 1) == [1])
        queue.end(2)
        #expect(try await taken(queue, 1) == [3])
    }

    @Test(
        "Small pieces are taken together; a single member takes none before one that comes earlier, several members do"
    )
    func together() async throws {
        let pieces: [WorkQueue.Piece] = [
            .init(shared: 1), .init(shared: 1), .init(), .init(shared: 1), .init(needs: [0], shared: 1),
            .init(shared: 9),
        ]
        for (members, expected) in [(1, [1]), (2, [1])] {
            let queue = WorkQueue(pieces)
            #expect(try await taken(queue, 1) == [0])
            #expect(queue.others(with: 0, .init(count: 50, bytes: 5, members: members)) == expected)
        }
        let queue = WorkQueue(pieces + pieces + pieces)
        #expect(try await taken(queue, 1) == [0])
        #expect(queue.others(with: 0, .init(count: 5, bytes: 50, members: 2)) == [1, 3, 5, 6])
        queue.end(0)
        #expect(try await taken(queue, 1) == [2])
        #expect(queue.others(with: 2, .init(count: 5, bytes: 50)) == [])
    }

    @Test("What is put back is done in its order, each piece by itself, and nothing of it once the queue is stopped")
    func separated() async throws {
        let queue = WorkQueue([.init(shared: 1), .init(needs: [0], shared: 1), .init(shared: 1), .init(shared: 1)])
        let limits = WorkQueue.Batch(count: 50, bytes: 50)
        #expect(try await taken(queue, 1) == [0])
        #expect(queue.others(with: 0, limits) == [2, 3])
        queue.putBack([0, 2, 3])
        for number in 0...2 {
            #expect(try await taken(queue, 1) == [number])
            #expect(queue.others(with: number, limits) == [])
            queue.end(number)
        }
        #expect(try await taken(queue, 1) == [3])
        queue.stop()
        queue.putBack([3])
        #expect(try await queue.next(isLeader: true) == nil)
    }

    @Test("Two sessions wait for one another as the server's table of lock modes says, whichever comes first")
    func modes() {
        let conflicts: [LockMode: Set<LockMode>] = [
            .rowShare: [.accessExclusive],
            .rowExclusive: [.share, .shareRowExclusive, .accessExclusive],
            .shareUpdateExclusive: [.shareUpdateExclusive, .share, .shareRowExclusive, .accessExclusive],
            .share: [.rowExclusive, .shareUpdateExclusive, .shareRowExclusive, .accessExclusive],
            .shareRowExclusive: [.rowExclusive, .shareUpdateExclusive, .share, .shareRowExclusive, .accessExclusive],
            .accessExclusive: Set(LockMode.allCases),
        ]
        for first in LockMode.allCases {
            for second in LockMode.allCases {
                #expect(first.conflicts(with: second) == conflicts[first]?.contains(second), "\(first) \(second)")
            }
        }
    }

    @Test("A piece that runs alone comes after all before it, and before all after it")
    func alone() async throws {
        let queue = WorkQueue([.init(size: 1), .init(size: 9, isAlone: true), .init(size: 5), .init(size: 6)])
        #expect(try await taken(queue, 1) == [0])
        async let alone = queue.next(isLeader: false)
        queue.end(0)
        #expect(try await alone == 1)
        async let next = queue.next(isLeader: false)
        queue.end(1)
        #expect(try await next == 3)
        #expect(try await taken(queue, 1) == [2])
    }

    @Test("What was put back is taken by another member, and what is stopped by none")
    func endings() async throws {
        let queue = WorkQueue([.init(), .init(), .init()])
        #expect(try await taken(queue, 3) == [0, 1, 2])
        async let again = queue.next(isLeader: true)
        queue.putBack([1])
        #expect(try await again == 1)
        queue.stop()
        queue.putBack([1])
        #expect(try await queue.next(isLeader: false) == nil)
        async let end = queue.next(isLeader: true)
        queue.end(0)
        queue.end(2)
        #expect(try await end == nil)
    }

    @Test("Ten thousand pieces that wait for the first one are taken in a moment, each once")
    func many() async throws {
        let queue = WorkQueue([.init()] + (1...10_000).map { .init(size: Int64($0), needs: [0]) })
        #expect(try await taken(queue, 1) == [0])
        queue.end(0)
        var numbers: Set<Int> = []
        while let number = try await queue.next(isLeader: true) {
            numbers.insert(number)
            queue.end(number)
        }
        #expect(numbers.count == 10_000)
    }

    @Test("A member that waits is stopped by its task")
    func cancellation() async throws {
        let queue = WorkQueue([.init(), .init(needs: [0])])
        #expect(try await taken(queue, 1) == [0])
        let waiting = Task { try await queue.next(isLeader: false) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
