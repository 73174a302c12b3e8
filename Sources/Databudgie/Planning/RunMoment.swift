import Foundation

/// The moment that a run began, as its file names carry it: in UTC and whole seconds.
struct RunMoment: Sendable {
    /// As in `2021-04-26T09:00:00`.
    let timestamp: String
    /// As in `2021-04-26`.
    let date: String

    init(_ moment: Date) {
        let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
        date = moment.formatted(style)
        timestamp = moment.formatted(style.time(includingFractionalSeconds: false))
    }
    /// What a file's variables stand for.
    ///
    /// - Parameters:
    ///   - table: A table's or schema's full name, not encoded yet; nil for a file about neither.
    ///   - ext: The kind of file, such as `csv.gz`.
    /// - Returns: The values for a location or a file's name.
    func pathValues(table: String?, ext: String) -> [Template.Variable: String] {
        var values: [Template.Variable: String] = [.timestamp: timestamp, .date: date, .ext: ext]
        values[.table] = table.map(PathComponent.encode)
        return values
    }
}
