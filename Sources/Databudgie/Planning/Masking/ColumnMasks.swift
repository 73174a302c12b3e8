/// What becomes of each column of a database: the rules, and what foreign keys make of them.
///
/// Columns that a foreign key relates, and those of parents and children, have the same values, so they have one mask:
/// that of the member with an exact name among the rules, or else that of any member.
struct ColumnMasks: Sendable {
    typealias ID = ColumnCatalog.ID
    typealias Rule = MaskingConfiguration.Rule

    /// What becomes of a column.
    struct Decision: Sendable {
        let rule: Rule
        /// The rule names the column, or one that its values come from, exactly.
        let isExact: Bool
        /// The column whose rule it is; nil for a rule of its own.
        let inheritedFrom: ID?
        /// How many columns have the same values.
        let members: [ID]
        /// One of these columns is compared without the case of letters.
        let foldsCase: Bool
        /// The digits of e-mail addresses that have room in all of these columns.
        let emailDigits: Int

        var mask: Mask { rule.mask }
    }

    /// Rules that contradict one another for columns with the same values.
    struct Conflict: Sendable {
        let members: [ID]
        let rules: [(column: ID, rule: Rule)]
    }

    let catalog: DatabaseCatalog
    let columns: ColumnCatalog
    private(set) var decisions: [ID: Decision] = [:]
    private(set) var ambiguous: [ID: [Rule]] = [:]
    private(set) var conflicts: [ID: Conflict] = [:]
    /// The columns with the same values, of those that are not alone.
    private(set) var classes: [ID: [ID]] = [:]
    /// The rules that match nothing.
    private(set) var unused: [Rule] = []

    /// - Parameters:
    ///   - rules: In order of appearance.
    ///   - catalog: All tables.
    ///   - columns: Their columns.
    ///   - others: Names of columns that are in no table, those of queries.
    init(_ rules: inout MaskRules, _ catalog: DatabaseCatalog, _ columns: ColumnCatalog, others: [String] = []) {
        (self.catalog, self.columns) = (catalog, columns)
        var matches: [ID: (rule: Rule, isExact: Bool)] = [:]
        var ids: [ID] = []
        for relation in catalog.relations {
            let prefix = relation.name.label + "."
            for column in columns.columns[relation.oid, default: []] {
                let id = ID(relation: relation.oid, number: column.number)
                ids.append(id)
                switch rules.match(prefix + column.name) {
                case .nothing: break
                case .rule(let rule, let isExact): matches[id] = (rule, isExact)
                case .ambiguous(let rules): ambiguous[id] = rules
                }
            }
        }
        for name in others { _ = rules.match(name) }
        unused = rules.unused
        for members in Self.classes(ids, columns.links) {
            if members.count > 1 {
                for member in members { classes[member] = members }
            }
            decide(members, matches)
        }
    }

    /// Columns with the same values, those without others among them.
    private static func classes(_ ids: [ID], _ links: [ColumnLink]) -> [[ID]] {
        let positions = Dictionary(
            ids.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
        var sets = DisjointSets(count: ids.count)
        for link in links {
            guard let from = positions[link.from], let to = positions[link.to] else { continue }
            sets.join(from, to)
        }
        var classes: [Int: [ID]] = [:]
        for (position, id) in ids.enumerated() { classes[sets.root(of: position), default: []].append(id) }
        return classes.sorted { $0.key < $1.key }.map(\.value)
    }

    private mutating func decide(_ members: [ID], _ matches: [ID: (rule: Rule, isExact: Bool)]) {
        let ruled = members.compactMap { id in matches[id].map { (column: id, rule: $0.rule, isExact: $0.isExact) } }
        let exact = ruled.filter(\.isExact)
        let counting = exact.isEmpty ? ruled : exact
        guard let first = counting.first else { return }
        guard counting.allSatisfy({ $0.rule.mask == first.rule.mask }) else {
            let conflict = Conflict(members: members, rules: counting.map { ($0.column, $0.rule) })
            for member in members { conflicts[member] = conflict }
            return
        }
        let facts = members.compactMap { columns[$0] }
        let limit = facts.compactMap(\.type.textLimit).min()
        let foldsCase = facts.contains { $0.type.isCaseInsensitive }
        for member in members {
            let own = counting.first { $0.column == member }
            decisions[member] = Decision(
                rule: own?.rule ?? first.rule,
                isExact: !exact.isEmpty,
                inheritedFrom: own == nil ? first.column : nil,
                members: members,
                foldsCase: foldsCase,
                emailDigits: MaskRoom.emailDigits(in: limit)
            )
            // A class with a rule that counts needs no other for its members.
            ambiguous[member] = nil
        }
    }

    /// A column's full name, `schema.table.column`.
    func name(of id: ID) -> String {
        guard let relation = catalog[id.relation], let column = columns[id] else { return "" }
        return "\(relation.name.label).\(column.name)"
    }
}
