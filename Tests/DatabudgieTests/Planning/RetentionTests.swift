import Foundation
import Testing

@testable import Databudgie

@Suite("Retention")
struct RetentionTests {
    private static let never = Date.distantFuture

    private func moment(_ text: String) throws -> Date {
        try Date(text + "Z", strategy: .iso8601)
    }

    /// Sets by their ids; a `?` at the end of an id makes its set a partial one.
    private func sets(_ ids: [String]) throws -> [Retention.Candidate] {
        try ids.map { id in
            let name = id.replacing("?", with: "")
            return Retention.Candidate(id: name, moment: try moment(name), isComplete: !id.hasSuffix("?"))
        }
    }

    /// What is kept: each id with its reasons, the newest first.
    private func kept(
        _ policy: RetentionPolicy,
        _ sets: [Retention.Candidate],
        now: Date = Self.never
    ) -> [String] {
        Retention.decisions(policy, sets, now: now).filter(\.isKept).map { decision in
            decision.id + ": " + decision.reasons.map(\.description).joined(separator: ", ")
        }
    }

    /// A set on each of many days, at 02:30.
    private func daily(from first: String, days: Int) throws -> [Retention.Candidate] {
        let start = try moment(first + "T02:30:00")
        return (0..<days).map { day in
            let moment = start.addingTimeInterval(Double(day) * 86_400)
            return Retention.Candidate(id: RunTimestamp(moment).timestamp, moment: moment, isComplete: true)
        }
    }

    @Test("Of a year of daily sets the last days, Sundays and ends of months stay, and the oldest one")
    func yearOfDays() throws {
        let policy = RetentionPolicy(
            [.daily: .atMost(7), .weekly: .atMost(5), .monthly: .atMost(12), .yearly: .atMost(3)]
        )
        let sets = try daily(from: "2025-01-01", days: 365)
        #expect(
            kept(policy, sets.shuffled()) == [
                "2025-12-31T02:30:00: daily, weekly, monthly, yearly",
                "2025-12-30T02:30:00: daily",
                "2025-12-29T02:30:00: daily",
                "2025-12-28T02:30:00: daily, weekly",
                "2025-12-27T02:30:00: daily",
                "2025-12-26T02:30:00: daily",
                "2025-12-25T02:30:00: daily",
                "2025-12-21T02:30:00: weekly",
                "2025-12-14T02:30:00: weekly",
                "2025-12-07T02:30:00: weekly",
                "2025-11-30T02:30:00: monthly",
                "2025-10-31T02:30:00: monthly",
                "2025-09-30T02:30:00: monthly",
                "2025-08-31T02:30:00: monthly",
                "2025-07-31T02:30:00: monthly",
                "2025-06-30T02:30:00: monthly",
                "2025-05-31T02:30:00: monthly",
                "2025-04-30T02:30:00: monthly",
                "2025-03-31T02:30:00: monthly",
                "2025-02-28T02:30:00: monthly",
                "2025-01-31T02:30:00: monthly",
                "2025-01-01T02:30:00: oldest yearly",
            ]
        )
    }

    @Test("The last sets stay whatever their age, and with all of them nothing goes")
    func last() throws {
        let sets = try daily(from: "2025-01-01", days: 365)
        #expect(
            kept(RetentionPolicy([.last: .atMost(2)]), sets) == [
                "2025-12-31T02:30:00: last", "2025-12-30T02:30:00: last",
            ]
        )
        #expect(kept(RetentionPolicy([.last: .unlimited]), sets).count == 365)
        #expect(kept(RetentionPolicy([.last: .atMost(400)]), sets).count == 365)
        #expect(kept(RetentionPolicy([.yearly: .unlimited]), sets).count == 2)
    }

    @Test("Days without sets do not count: four days of Sundays are four weeks")
    func sundays() throws {
        let sundays = ["2026-01-04", "2026-01-11", "2026-01-18", "2026-01-25", "2026-02-01", "2026-02-08"]
        let sets = try sets(sundays.map { $0 + "T12:00:00" })
        #expect(
            kept(RetentionPolicy([.daily: .atMost(4)]), sets)
                == ["2026-02-08", "2026-02-01", "2026-01-25", "2026-01-18"].map { $0 + "T12:00:00: daily" }
        )
    }

    @Test("Weeks are those of ISO 8601, also where the year changes, and days and hours those of UTC")
    func edges() throws {
        let newYear = [
            "2024-12-29T23:59:59", "2024-12-30T00:00:00", "2025-01-01T12:00:00", "2025-01-05T23:59:59",
            "2025-01-06T00:00:00",
        ]
        #expect(
            kept(RetentionPolicy([.weekly: .atMost(3)]), try sets(newYear)) == [
                "2025-01-06T00:00:00: weekly", "2025-01-05T23:59:59: weekly", "2024-12-29T23:59:59: weekly",
            ]
        )
        #expect(
            kept(RetentionPolicy([.yearly: .atMost(2)]), try sets(newYear)) == [
                "2025-01-06T00:00:00: yearly", "2024-12-30T00:00:00: yearly",
            ]
        )
        let hours = ["2026-03-29T00:59:59", "2026-03-29T01:00:00", "2026-03-29T01:59:59", "2026-03-29T02:00:00"]
        #expect(
            kept(RetentionPolicy([.hourly: .atMost(3)]), try sets(hours)) == [
                "2026-03-29T02:00:00: hourly", "2026-03-29T01:59:59: hourly", "2026-03-29T00:59:59: hourly",
            ]
        )
        let beforeTheEpoch = [
            "1969-12-28T23:00:00", "1969-12-29T01:00:00", "1969-12-31T23:59:59", "1970-01-01T00:00:00",
        ]
        #expect(
            kept(RetentionPolicy([.daily: .atMost(2), .weekly: .atMost(2)]), try sets(beforeTheEpoch)) == [
                "1970-01-01T00:00:00: daily, weekly", "1969-12-31T23:59:59: daily", "1969-12-28T23:00:00: weekly",
            ]
        )
    }

    @Test(
        "A period ends at the newest set, whose own age does not matter, and its beginning is not in it",
        arguments: [
            ("7d", "2026-03-31T12:00:00", "2026-03-24T12:00:00"), ("36h", "2026-03-31T12:00:00", "2026-03-30T00:00:00"),
            // As in Go: February 31 is March 3, and February 29 of a common year March 1.
            ("1m", "2026-03-31T12:00:00", "2026-03-03T12:00:00"), ("1y", "2024-02-29T06:00:00", "2023-03-01T06:00:00"),
            ("1y2m3d4h", "2026-01-15T10:00:00", "2024-11-12T06:00:00"),
            ("13m", "2026-01-15T10:00:00", "2024-12-15T10:00:00"),
        ]
    )
    func periods(period: String, newest: String, edge: String) throws {
        let justAfter = RunTimestamp(try moment(edge).addingTimeInterval(1)).timestamp
        let policy = RetentionPolicy(within: RetentionPeriod(period))
        #expect(
            kept(policy, try sets([edge, newest, justAfter])) == [
                "\(newest): within \(period)", "\(justAfter): within \(period)",
            ]
        )
    }

    @Test("A period longer than the calendar keeps everything")
    func longPeriods() throws {
        let sets = try daily(from: "2025-12-01", days: 20)
        for period in ["999999999y", "999999999m", "999999999d", "9999y", "999999999h"] {
            #expect(kept(RetentionPolicy(within: RetentionPeriod(period)), sets).count == 20, "\(period)")
        }
    }

    @Test("A set of the future, by a wrong clock, stays and shortens no period")
    func future() throws {
        let sets = try sets([
            "2026-01-01T00:00:00", "2026-01-09T00:00:00", "2026-01-10T00:00:00", "2036-01-01T00:00:00",
        ])
        let policy = RetentionPolicy(within: RetentionPeriod("2d"))
        #expect(
            kept(policy, sets, now: try moment("2026-01-10T08:00:00")) == [
                "2036-01-01T00:00:00: within 2d", "2026-01-10T00:00:00: within 2d", "2026-01-09T00:00:00: within 2d",
            ]
        )
    }

    @Test("A partial set takes no place of a complete one, and stays while none is newer or within the period")
    func partialSets() throws {
        let sets = try sets([
            "2026-01-05T01:00:00?", "2026-01-05T00:00:00?", "2026-01-04T00:00:00", "2026-01-03T12:00:00?",
            "2026-01-03T00:00:00", "2026-01-02T00:00:00?", "2026-01-01T00:00:00", "2025-12-31T00:00:00?",
        ])
        #expect(
            kept(RetentionPolicy([.daily: .atMost(2)]), sets) == [
                "2026-01-05T01:00:00: newer than all complete sets",
                "2026-01-05T00:00:00: newer than all complete sets",
                "2026-01-04T00:00:00: daily", "2026-01-03T00:00:00: daily",
            ]
        )
        #expect(
            kept(RetentionPolicy([.last: .atMost(1)], within: RetentionPeriod("1d")), sets) == [
                "2026-01-05T01:00:00: newer than all complete sets, within 1d",
                "2026-01-05T00:00:00: newer than all complete sets, within 1d",
                "2026-01-04T00:00:00: within 1d, last", "2026-01-03T12:00:00: within 1d",
            ]
        )
    }

    @Test("Without a limit to the last sets everything stays, partial sets too")
    func everything() throws {
        let sets = try sets(["2026-01-03T00:00:00", "2026-01-02T00:00:00?", "2026-01-01T00:00:00"])
        #expect(
            kept(RetentionPolicy([.last: .unlimited]), sets) == [
                "2026-01-03T00:00:00: last", "2026-01-02T00:00:00: last", "2026-01-01T00:00:00: last",
            ]
        )
    }

    @Test("Without a complete set every partial one stays")
    func onlyPartialSets() throws {
        let sets = try sets(["2026-01-02T00:00:00?", "2026-01-01T00:00:00?"])
        #expect(kept(RetentionPolicy([.daily: .atMost(1)]), sets).count == 2)
        #expect(Retention.decisions(RetentionPolicy([.daily: .atMost(1)]), [], now: Self.never).isEmpty)
    }
}
