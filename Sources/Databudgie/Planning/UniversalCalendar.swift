import Foundation

/// Hours, days, weeks, months and years of UTC.
enum UniversalCalendar {
    private static let (secondsOfHour, secondsOfDay) = (3_600, 86_400)

    /// Numbers the spans of time that a rule looks at: moments of one span have one number.
    static func bucket(_ rule: RetentionPolicy.Rule, of moment: Date) -> Int {
        let seconds = Int(moment.timeIntervalSince1970.rounded(.down))
        let (year, month, _) = yearMonthDay(moment)
        return switch rule {
        case .last: seconds
        case .hourly: seconds.floored(by: secondsOfHour)
        case .daily: seconds.floored(by: secondsOfDay)
        // 1970 began on a Thursday, three days into its week.
        case .weekly: (seconds.floored(by: secondsOfDay) + 3).floored(by: 7)
        case .monthly: year * 12 + month
        case .yearly: year
        }
    }

    /// Goes back by a period: a day that the month does not have is one of the next month, as in Go, so in restic.
    ///
    /// A month before March 31 is "February 31", which is March 3.
    static func date(_ period: RetentionPeriod, before moment: Date) -> Date {
        let (year, month, day) = yearMonthDay(moment)
        let months = (year - period.years) * 12 + month - 1 - period.months
        let first = DateComponents(
            year: months.floored(by: 12),
            month: months - months.floored(by: 12) * 12 + 1,
            day: 1
        )
        guard months >= 12, let start = calendar.date(from: first) else { return .distantPast }
        let timeOfDay = moment.timeIntervalSince(calendar.startOfDay(for: moment))
        let days = TimeInterval(day - 1 - period.days) * TimeInterval(secondsOfDay)
        return start + days + timeOfDay - TimeInterval(period.hours) * TimeInterval(secondsOfHour)
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private static func yearMonthDay(_ moment: Date) -> (year: Int, month: Int, day: Int) {
        let parts = calendar.dateComponents([.year, .month, .day], from: moment)
        return (parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
    }
}

extension Int {
    /// The quotient, rounded towards negative infinity.
    fileprivate func floored(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
