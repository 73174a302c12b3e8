/// Compares the header of a data file with the columns that the set record names.
struct ColumnsCheck {
    private let columns: [String]
    private var beginning: [UInt8] = []
    private var header: CSVHeader?
    private var isTooLong = false

    /// - Parameter columns: The names of the columns, in their order.
    init(columns: [String]) {
        self.columns = columns
    }

    /// Takes the next bytes of CSV; those after the header are not kept.
    mutating func add(_ bytes: [UInt8]) {
        guard header == nil, !isTooLong else { return }
        beginning += bytes
        header = CSVHeader.parse(beginning, isComplete: false)
        isTooLong = beginning.count > CSVHeader.maximumBytes
        if header != nil || isTooLong { beginning = [] }
    }

    /// What is wrong, once all bytes were taken.
    var damages: [String] {
        guard let header = header ?? CSVHeader.parse(beginning, isComplete: true), !isTooLong else {
            return ["it does not begin with the names of columns"]
        }
        return Self.damages(header, columns: columns)
    }

    /// What is wrong with a header.
    ///
    /// - Parameters:
    ///   - header: As it was read.
    ///   - columns: The names that it should have.
    /// - Returns: A sentence, or none.
    static func damages(_ header: CSVHeader, columns: [String]) -> [String] {
        let names = header.matching(columns).columns
        guard names.map({ ByteKey($0) }) != columns.map({ ByteKey($0) }) else { return [] }
        func list(_ names: [String]) -> String { names.isEmpty ? "no columns" : names.joined(separator: ", ") }
        return ["its header is \(list(names)), and the set record says \(list(columns))"]
    }
}
