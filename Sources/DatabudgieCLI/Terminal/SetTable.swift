import Databudgie
import Foundation

/// The table of `databudgie list`: a line for each set.
enum SetTable {
    private static let header: [(name: String, side: TextTable.Side)] = [
        ("set", .left), ("age", .right), ("status", .left), ("consistency", .left), ("tables", .right),
        ("rows", .right),
        ("size", .right), ("verified", .left),
    ]

    /// The lines of sets.
    ///
    /// - Parameters:
    ///   - sets: What was found, newest first.
    ///   - now: What ages are counted to.
    /// - Returns: The table line by line.
    static func lines(_ sets: [ListedSet], now: Date) -> [String] {
        var table = TextTable(header)
        for set in sets {
            table.add(
                [set.id, age(set.moment, now), set.state.rawValue, set.summary?.consistency.rawValue ?? "-"]
                    + numbers(set.summary?.totals) + [verified(set.verification, now)]
            )
        }
        return table.lines
    }

    /// The lines of sets that are about to be recorded.
    static func lines(_ records: [SetRecord], now: Date) -> [String] {
        var table = TextTable(header)
        for record in records {
            let moment = [age(record.startedAt, now), record.status.rawValue, record.consistency.rawValue]
            table.add([record.id] + moment + numbers(record.totals) + ["-"])
        }
        return table.lines
    }

    private static func verified(_ verification: SetVerification?, _ now: Date) -> String {
        guard let verification else { return "-" }
        let result = "\(verification.status.rawValue) (\(verification.level.rawValue))"
        return "\(result), \(age(verification.verifiedAt, now)) ago"
    }

    private static func age(_ moment: Date?, _ now: Date) -> String {
        moment.map { HumanNumber.age(now.timeIntervalSince($0)) } ?? "-"
    }

    private static func numbers(_ totals: SetRecord.Totals?) -> [String] {
        guard let totals else { return ["-", "-", "-"] }
        let rows = totals.rows.map { HumanNumber.count($0) } ?? "-"
        return [HumanNumber.count(totals.tables), rows, HumanNumber.bytes(totals.fileBytes)]
    }
}
