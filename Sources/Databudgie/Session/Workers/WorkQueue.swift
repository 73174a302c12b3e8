import Postgres

/// Work that several members of a run take piece after piece: the biggest one that is ready, and that no running one is in the
/// way of.
///
/// Locks are not left to the server: a worker that waits for another one's does nothing meanwhile, might wait for hours, and could
/// end in a deadlock.
final class WorkQueue: Sendable {
    /// What is to be known of a piece of work.
    struct Piece: Sendable {
        /// Bigger ones are taken first, and equal ones in their order.
        var size: Int64 = 0
        /// The pieces that have to be over before, by their numbers; only such as come before it in their order.
        var needs: Set<Int> = []
        /// The strongest lock on each table that a worker holds meanwhile.
        var locks: [Relation.OID: LockMode] = [:]
        /// What it does is not known: it runs alone, after all pieces before it and before all that come after it.
        var isAlone = false
        /// How many bytes it is, where it may be done along with others; nil: it is not.
        var shared: Int64?
    }

    /// How much work is done together, at most.
    struct Batch: Sendable {
        /// How many pieces.
        var count: Int
        /// How many bytes, together.
        var bytes: Int64
        /// How many members share what is left.
        var members = 1
    }

    private struct State: Sendable {
        /// For each piece how many have to be over before it.
        var missing: [Int]
        /// What is ready, the next one first.
        var ready: [Int] = []
        var running: Set<Int> = []
        /// How many nobody has taken.
        var left: Int
        /// What is not done along with others any more.
        var separated: Set<Int> = []
        var isStopped = false
    }

    private let pieces: [Piece]
    /// The pieces that wait for each one.
    private let dependents: [[Int]]
    private let state: Watched<State>

    /// - Parameter pieces: All work; a piece's number is its index.
    init(_ pieces: [Piece]) {
        self.pieces = pieces
        let needs = Self.needs(pieces)
        var dependents: [[Int]] = Array(repeating: [], count: pieces.count)
        for (number, needed) in needs.enumerated() {
            for other in needed { dependents[other].append(number) }
        }
        self.dependents = dependents
        var state = State(missing: needs.map(\.count), left: pieces.count)
        state.ready = pieces.indices.filter { needs[$0].isEmpty }.sorted { Self.comes($0, before: $1, pieces) }
        self.state = Watched(state)
    }

    /// What each piece needs, with what runs alone.
    private static func needs(_ pieces: [Piece]) -> [Set<Int>] {
        var alone: Int?
        var start = 0
        return pieces.enumerated().map { number, piece in
            var needs = piece.needs
            if let alone { needs.insert(alone) }
            if piece.isAlone {
                needs.formUnion(start..<number)
                (alone, start) = (number, number + 1)
            }
            return needs
        }
    }

    private static func comes(_ first: Int, before second: Int, _ pieces: [Piece]) -> Bool {
        (pieces[second].size, first) < (pieces[first].size, second)
    }

    /// Pieces are left that nobody has taken.
    var isWaiting: Bool { state.withLock { $0.left > 0 } }

    /// The next piece for a member, once there is one.
    ///
    /// - Parameter isLeader: It waits until all pieces are over, because one may be put back.
    /// - Returns: Its number; nil when there is none for the member any more.
    /// - Throws: `CancellationError`.
    func next(isLeader: Bool) async throws -> Int? {
        try Task.checkCancellation()
        return try await state.wait { state -> Int?? in
            if state.left > 0, let place = state.ready.firstIndex(where: { isFree($0, state.running) }) {
                return take(at: place, of: &state)
            }
            let mayComeLater = state.left > 0 && !(state.ready.isEmpty && state.running.isEmpty)
            // Not yet, or never.
            return mayComeLater || isLeader && !state.running.isEmpty ? nil : .some(nil)
        }
    }

    private func take(at place: Int, of state: inout State) -> Int {
        let number = state.ready.remove(at: place)
        state.running.insert(number)
        state.left -= 1
        return number
    }

    /// Takes a certain piece.
    ///
    /// - Returns: False when it is not ready, or when a running one is in its way.
    func take(_ number: Int) -> Bool {
        state.withLock { state in
            guard let place = state.ready.firstIndex(of: number), isFree(number, state.running) else { return false }
            _ = take(at: place, of: &state)
            return true
        }
    }

    /// Further pieces that may be done along with one that was taken, and that are ready now.
    ///
    /// They wait for nothing, so what the members share is left to the others where it is little. A single member takes nothing
    /// before what comes earlier and is ready as well.
    ///
    /// - Parameters:
    ///   - number: What was taken.
    ///   - limits: How much may be done together.
    /// - Returns: Their numbers, which have to be ended as that one.
    func others(with number: Int, _ limits: Batch) -> [Int] {
        guard var bytes = pieces[number].shared else { return [] }
        return state.withLock { state in
            guard !state.separated.contains(number) else { return [] }
            let others = state.running.subtracting([number])
            let share = (state.ready.count + 1) / max(limits.members, 1)
            var taken: [Int] = []
            for candidate in state.ready where taken.count + 1 < min(limits.count, share) {
                guard let more = pieces[candidate].shared, bytes + more <= limits.bytes,
                    !state.separated.contains(candidate), isFree(candidate, others)
                else {
                    if limits.members == 1 { break }
                    continue
                }
                bytes += more
                taken.append(candidate)
            }
            let numbers = Set(taken)
            state.ready.removeAll { numbers.contains($0) }
            state.running.formUnion(numbers)
            state.left -= numbers.count
            return taken
        }
    }

    /// Whether no running piece is in the way of another one.
    private func isFree(_ number: Int, _ running: Set<Int>) -> Bool {
        let locks = pieces[number].locks
        return running.allSatisfy { other in
            let (fewer, more) =
                locks.count < pieces[other].locks.count
                ? (locks, pieces[other].locks) : (pieces[other].locks, locks)
            return fewer.allSatisfy { oid, mode in more[oid].map { !$0.conflicts(with: mode) } ?? true }
        }
    }

    /// Ends a piece that was taken, whatever has become of it.
    func end(_ number: Int) {
        state.change { state in
            state.running.remove(number)
            for dependent in dependents[number] {
                state.missing[dependent] -= 1
                if state.missing[dependent] == 0, !state.isStopped { insert(dependent, into: &state.ready) }
            }
        }
    }

    /// Leaves pieces that were taken to whoever is next; each is done by itself then.
    func putBack(_ numbers: [Int]) {
        state.change { state in
            state.running.subtract(numbers)
            state.separated.formUnion(numbers)
            guard !state.isStopped else { return }
            state.left += numbers.count
            for number in numbers { insert(number, into: &state.ready) }
        }
    }

    /// Gives no further piece out; those that run are finished.
    func stop() {
        state.change { state in (state.ready, state.left, state.isStopped) = ([], 0, true) }
    }

    private func insert(_ number: Int, into ready: inout [Int]) {
        var places = 0..<ready.count
        while !places.isEmpty {
            let middle = places.lowerBound + places.count / 2
            places =
                Self.comes(number, before: ready[middle], pieces)
                ? places.lowerBound..<middle : middle + 1..<places.upperBound
        }
        ready.insert(number, at: places.lowerBound)
    }
}
