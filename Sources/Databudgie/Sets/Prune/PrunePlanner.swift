import Foundation
import Storage

/// Decides which sets are removed, and which files go with them.
struct PrunePlanner: Sendable {
    /// nil removes no set.
    let policy: RetentionPolicy?
    let now: Date
    /// A run that has not recorded its set yet may need files that other sets have.
    let isRunUnderWay: Bool
    /// Runs name files of any older set in their own (`skip_if_exists`).
    var sharesAnyFile = false

    /// What is done with all sets of a catalog.
    struct Outcome: Sendable {
        /// The newest first.
        var sets: [PrunePlan.PlannedSet]
        /// The oldest first.
        var deletions: [SetDeletion]
        var warnings: [Finding]
    }

    func outcome(_ sets: [PrunableSet]) -> Outcome {
        let reasons = reasons(sets)
        func isKept(_ set: PrunableSet) -> Bool { reasons[ByteKey(set.id)]?.isEmpty == false }
        let sorted = sets.sorted { ($1.moment, ByteKey($1.id)) < ($0.moment, ByteKey($0.id)) }
        var named = Set(sorted.filter(isKept).lazy.flatMap(\.files).map(\.path))
        // A file of several sets goes with the one that is removed last, which is the newest.
        let deletions = sorted.filter { !isKept($0) }.map { set in
            let files = set.files.filter { named.insert($0.path).inserted && $0.isRemovable }
            return SetDeletion(
                id: set.id,
                records: set.records,
                files: files.map(\.path),
                size: files.reduce(0) { $0 + $1.size }
            )
        }
        let byID = Dictionary(deletions.map { (ByteKey($0.id), $0) }, uniquingKeysWith: { first, _ in first })
        return Outcome(
            sets: sorted.map { set in
                let deletion = byID[ByteKey(set.id)]
                return PrunePlan.PlannedSet(
                    id: set.id,
                    status: set.status,
                    reasons: reasons[ByteKey(set.id), default: []],
                    files: deletion?.files.count ?? set.files.count,
                    size: deletion?.size ?? set.files.reduce(0) { $0 + $1.size }
                )
            },
            deletions: deletions.reversed(),
            warnings: damaged(sorted, isKept) + lostTables(sorted, isKept) + outsiders(sorted.filter { !isKept($0) })
                + waiting(reasons)
        )
    }

    private func reasons(_ sets: [PrunableSet]) -> [ByteKey: [RetentionReason]] {
        guard let policy else {
            return Dictionary(sets.map { (ByteKey($0.id), [.noRules]) }, uniquingKeysWith: { first, _ in first })
        }
        var reasons: [ByteKey: [RetentionReason]] = [:]
        for group in groups(sets) {
            // A damaged set stays as long as a good one would: what is left of it may be all that there is. But no good
            // one goes because of it.
            for sets in [group, group.filter { !$0.isDamaged }] {
                let candidates = sets.map {
                    Retention.Candidate(id: $0.id, moment: $0.moment, isComplete: $0.isComplete)
                }
                for decision in Retention.decisions(policy, candidates, now: now) {
                    let others = reasons[ByteKey(decision.id), default: []]
                    reasons[ByteKey(decision.id)] = others + decision.reasons.filter { !others.contains($0) }
                }
            }
        }
        // A resumed run names files of the partial set that it completes.
        for set in sets where isRunUnderWay && (sharesAnyFile || !set.isComplete || set.hasLastingNames) {
            if reasons[ByteKey(set.id)]?.isEmpty != false { reasons[ByteKey(set.id)] = [.runUnderWay] }
        }
        return reasons
    }

    /// The sets of each database; what is of no known one belongs to the only one there is.
    private func groups(_ sets: [PrunableSet]) -> [[PrunableSet]] {
        let known = Set(sets.compactMap { $0.database.map { ByteKey($0) } })
        let only = known.count == 1 ? known.first : nil
        return Array(Dictionary(grouping: sets) { set in set.database.map { ByteKey($0) } ?? only }.values)
    }

    private func damaged(_ sets: [PrunableSet], _ isKept: (PrunableSet) -> Bool) -> [Finding] {
        sets.filter { $0.isDamaged && isKept($0) }.map { set in
            .warning("the set \(set.id) is damaged, as its last verification has found: it takes no other's place")
        }
    }

    /// The tables that no complete set has any more.
    private func lostTables(_ sets: [PrunableSet], _ isKept: (PrunableSet) -> Bool) -> [Finding] {
        let complete = sets.filter { $0.isComplete && !$0.isDamaged }
        var seen = Set(complete.filter(isKept).lazy.flatMap(\.tables).map { ByteKey($0) })
        let lost = complete.filter { !isKept($0) }.flatMap(\.tables).filter { seen.insert(ByteKey($0)).inserted }
        guard !lost.isEmpty else { return [] }
        let shown = lost.sorted { ByteKey($0) < ByteKey($1) }.listed()
        return [.warning("no complete set that stays has \(shown)")]
    }
    /// Files that stay because a record alone is no reason to remove them.
    private func outsiders(_ sets: [PrunableSet]) -> [Finding] {
        sets.compactMap { set in
            let files = set.files.filter { !$0.isRemovable }
            return files.first.map { first in
                let others = files.count > 1 ? " and \(files.count - 1) more" : ""
                return .warning(
                    "\(first.path)\(others), of the set \(set.id), is not in a location of the configuration and stays",
                    hint: "remove it yourself if nothing else needs it"
                )
            }
        }
    }

    private func waiting(_ reasons: [ByteKey: [RetentionReason]]) -> [Finding] {
        let count = reasons.values.count { $0 == [.runUnderWay] }
        guard count > 0 else { return [] }
        return [
            .warning(
                "\(count == 1 ? "a set stays" : "\(count) sets stay") because a run that is not finished may need "
                    + (count == 1 ? "its files" : "their files"),
                hint:
                    "prune again when it has ended; if it was killed, with --orphans when it has written nothing for a day"
            )
        ]
    }
}
