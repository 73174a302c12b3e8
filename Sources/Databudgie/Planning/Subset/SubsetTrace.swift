/// Why each row of a subset is there: the order in which rows were found, and the reference by which each was.
///
/// A row was found from one that was found before it, so every row leads back to one of the start.
struct SubsetTrace: Sendable {
    /// How a row was found.
    struct Origin: Sendable {
        /// Origins that are less were there before.
        let time: Time
        /// The reference that led to it; nil for a row of the start.
        let arc: SubsetGraph.Arc?
    }

    /// A moment of the search.
    struct Time: Sendable, Comparable {
        let step: Int
        /// Within a step that follows chains.
        let place: Int

        static func < (first: Time, second: Time) -> Bool { (first.step, first.place) < (second.step, second.place) }
    }

    private enum Step: Sendable {
        /// What one reference leads to from rows that were there before; nil: rows of the start.
        case rows(RowSets, SubsetGraph.Arc?)
        /// What a statement found that follows chains, each row after the one that led to it.
        case chains([RowAddress: (place: Int, arc: SubsetGraph.Arc)])
    }

    private var steps: [Step] = []
    /// What the step that is under way has found.
    private var rows: RowSets = [:]
    private var chained: [RowAddress: (place: Int, arc: SubsetGraph.Arc)] = [:]

    /// Adds a row that was not there before.
    ///
    /// - Parameters:
    ///   - row: The row.
    ///   - arc: In a step that follows chains, the reference that led to it.
    mutating func add(_ row: RowAddress, chainedBy arc: SubsetGraph.Arc? = nil) {
        if let arc {
            chained[row] = (chained.count, arc)
        } else {
            rows[row.table, default: RowSet()].insert(row.place)
        }
    }

    /// Ends a step.
    ///
    /// - Parameter arc: The reference that it followed; nil for rows of the start, and for chains.
    mutating func endStep(_ arc: SubsetGraph.Arc?) {
        if !chained.isEmpty { steps.append(.chains(chained)) }
        if !rows.isEmpty { steps.append(.rows(rows, arc)) }
        (rows, chained) = ([:], [:])
    }

    /// How a row was found.
    ///
    /// - Parameters:
    ///   - row: The row.
    ///   - limit: Only what was found before it counts; nil: everything.
    /// - Returns: Nil for a row that was not found.
    func origin(of row: RowAddress, before limit: Time? = nil) -> Origin? {
        for (number, step) in steps.enumerated() {
            if let limit, number > limit.step { return nil }
            let origin: Origin
            switch step {
            case .rows(let sets, let arc):
                guard sets[row.table]?.contains(row.place) == true else { continue }
                origin = Origin(time: Time(step: number, place: 0), arc: arc)
            case .chains(let rows):
                guard let found = rows[row] else { continue }
                origin = Origin(time: Time(step: number, place: found.place), arc: found.arc)
            }
            return limit.map { origin.time < $0 } == false ? nil : origin
        }
        return nil
    }
}
