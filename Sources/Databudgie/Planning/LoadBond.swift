/// Why tables are restored together, in one transaction.
public struct LoadBond: Sendable {
    /// What keeps them together.
    @nonexhaustive
    public enum Kind: String, Sendable {
        /// They refer to one another in a cycle.
        case cycle
        /// The first one refers to the second one, which is emptied: the server truncates both in one command only.
        case truncation
        /// Two files are loaded into one table.
        case oneTable = "one_table"
        /// The first one is a partition or a child of the second one.
        case family
        /// The first one is emptied along with the second one, to which it refers by way of other tables.
        case reach
        /// There are references in both directions between the groups that they would be in otherwise.
        case interlocked
    }

    /// What keeps them together.
    public let kind: Kind
    /// The tables, as reports name them: two, or all of a cycle.
    public let tables: [String]
}

extension LoadBond: CustomStringConvertible {
    /// The bond as a sentence without a full stop.
    public var description: String {
        let (first, last) = (tables.first ?? "", tables.last ?? "")
        return switch kind {
        case .cycle: "\(Self.list(tables)) refer to one another in a cycle"
        case .truncation:
            "\(first) refers to \(last), which is emptied, and the server truncates both in one command only"
        case .oneTable: "two files are loaded into \(first)"
        case .family: "\(first) is a partition or a child of \(last)"
        case .reach: "\(first) is emptied along with \(last), to which it refers by way of other tables"
        case .interlocked: "\(Self.list(tables)) would be in groups that refer to one another"
        }
    }

    /// Names, of which a sentence has a few.
    private static func list(_ names: [String]) -> String {
        guard names.count > 1, names.count <= 6 else {
            return names.prefix(5).joined(separator: ", ")
                + (names.count > 6 ? " and \(names.count - 5) more tables" : "")
        }
        return names.dropLast().joined(separator: ", ") + " and \(names[names.count - 1])"
    }
}

/// Sets of jobs that have to land together, with enough reasons to connect the jobs of each set.
struct BoundJobs {
    private var sets: DisjointSets
    /// What has joined sets that were apart before: fewer than there are jobs.
    private(set) var bonds: [(kind: LoadBond.Kind, members: [Int])] = []

    init(count: Int) {
        sets = DisjointSets(count: count)
    }

    mutating func root(of job: Int) -> Int { sets.root(of: job) }

    /// Puts jobs into one set.
    mutating func join(_ members: [Int], _ kind: LoadBond.Kind) {
        guard let first = members.first else { return }
        let isNew = members.dropFirst().map { sets.join(first, $0) }
        if isNew.contains(true) { bonds.append((kind: kind, members: members)) }
    }
}
