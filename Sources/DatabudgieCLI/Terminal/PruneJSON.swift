import Databudgie
import Foundation

/// The plan of a prune as a JSON object, for `prune --json`.
///
/// Keys are snake_case and stay as they are from version to version; new ones may be added.
enum PruneJSON {
    private struct Plan: Encodable {
        struct Set: Encodable {
            var id: String
            var status: String
            var keep: Bool
            var reasons: [String]
            var files: Int
            var bytes: Int64
        }

        struct Orphan: Encodable {
            var place: String
            var kind: String
            var bytes: Int64
            var modified: Date
        }

        var sets: [Set]
        var orphans: [Orphan]
        var removedSets: Int
        var removedFiles: Int
        var removedBytes: Int64
    }

    /// The object, on several lines.
    static func text(_ plan: PrunePlan) throws -> String {
        let object = Plan(
            sets: plan.sets.map { set in
                Plan.Set(
                    id: set.id,
                    status: set.status,
                    keep: set.isKept,
                    reasons: set.reasons.map(\.description),
                    files: set.files,
                    bytes: set.size
                )
            },
            orphans: plan.orphans.map { orphan in
                Plan.Orphan(
                    place: orphan.place,
                    kind: orphan.kind.rawValue,
                    bytes: orphan.size,
                    modified: orphan.modified
                )
            },
            removedSets: plan.removedSets.count,
            removedFiles: plan.removedFiles,
            removedBytes: plan.removedSize
        )
        return try JSONDocument.text(object)
    }
}
