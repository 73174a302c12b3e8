/// What becomes of each column of a database: the rules, and what foreign keys make of them.
///
/// Columns that a foreign key or another reference relates, and those of parents and children, have the same values, so
/// they have one mask: that of the member with an exact name among the rules, or else that of any member. Where one of them
/// is an array of such values, it has that mask for each element. What keeps a column is about that column alone, and about
/// that of its table's partitions and children.
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
    /// Columns whose values are those of others: of foreign keys, of other references, and of parents.
    let links: [ColumnLink]
    /// Expressions that refer to columns; what they are made of is not known.
    let expressions: [ReferenceLinks.Expression]
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
    ///   - references: Of the subset that is exported; nil: there is none.
    ///   - others: Names of columns that are in no table, those of queries.
    init(
        _ rules: inout MaskRules,
        _ catalog: DatabaseCatalog,
        _ columns: ColumnCatalog,
        references: SubsetGraph? = nil,
        others: [String] = []
    ) {
        let references = ReferenceLinks(references, columns)
        (self.catalog, self.columns) = (catalog, columns)
        (links, expressions) = (columns.links + references.links, references.expressions)
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
        inheritKeeping(&matches, ids)
        let arrays = Set(links.filter(\.isOfElements).map(\.from))
        for members in Self.classes(ids, links) {
            if members.count > 1 {
                for member in members { classes[member] = members }
            }
            decide(members, matches, hasArrays: members.contains(where: arrays.contains))
        }
    }

    /// What keeps a column of a parent keeps that of its children, whose rows are the parent's, too.
    private func inheritKeeping(_ matches: inout [ID: (rule: Rule, isExact: Bool)], _ ids: [ID]) {
        let parents = Dictionary(grouping: links.filter { $0.key == nil }, by: \.from)
        let own = matches
        for id in ids where own[id] == nil && ambiguous[id] == nil {
            var (next, seen) = ([id], Set([id]))
            while let child = next.popLast() {
                let others = parents[child, default: []].map(\.to).filter { seen.insert($0).inserted }
                if let rule = others.compactMap({ own[$0] }).first(where: { $0.rule.mask.kind == .keep }) {
                    matches[id] = rule
                    break
                }
                next += others
            }
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

    /// - Parameters:
    ///   - members: Columns with the same values.
    ///   - matches: The rules.
    ///   - hasArrays: Some of the columns are arrays of such values.
    private mutating func decide(
        _ members: [ID],
        _ matches: [ID: (rule: Rule, isExact: Bool)],
        hasArrays: Bool
    ) {
        let arrays = Set(hasArrays ? members.filter { columns[$0]?.type.element != nil } : [])
        let ruled = members.compactMap { id in
            matches[id].map {
                (column: id, rule: arrays.contains(id) ? $0.rule.ofElements : $0.rule, isExact: $0.isExact)
            }
        }
        // An exact name that keeps one column says nothing of the others.
        let exact = ruled.filter(\.isExact)
        let counting = exact.contains { $0.rule.mask.kind != .keep } ? exact : ruled
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
            // A mask holds for all of them; what keeps one column keeps no other.
            guard own != nil || first.rule.mask.kind != .keep else { continue }
            let rule = own?.rule ?? first.rule
            decisions[member] = Decision(
                rule: arrays.contains(member) ? rule.ofArrays : rule,
                isExact: first.rule.mask.kind == .keep ? own?.isExact ?? false : !exact.isEmpty,
                inheritedFrom: own == nil ? first.column : nil,
                members: members,
                foldsCase: foldsCase,
                emailDigits: MaskRoom.emailDigits(in: limit)
            )
            // A class with a rule that counts needs no other for its members.
            ambiguous[member] = nil
        }
    }

    /// Whether the keys of a table's rows are among what is masked.
    func masksPrimaryKey(of node: SubsetGraph.Node) -> Bool {
        node.primaryKey.contains { key in
            columns.columns[node.relation, default: []].contains { column in
                let id = ID(relation: node.relation, number: column.number)
                return column.name.hasBytes(of: key.name) && decisions[id].map { $0.mask.kind != .keep } ?? false
            }
        }
    }

    /// A column's full name, `schema.table.column`.
    func name(of id: ID) -> String {
        guard let relation = catalog[id.relation], let column = columns[id] else { return "" }
        return "\(relation.name.label).\(column.name)"
    }
}

extension MaskingConfiguration.Rule {
    /// The rule of an array's elements.
    fileprivate var ofElements: Self {
        guard case .each(let mask) = mask.kind else { return self }
        return Self(columns, mask, place: place)
    }

    /// The rule of an array that has masked elements.
    fileprivate var ofArrays: Self {
        mask.kind == .keep || mask.kind == .null ? self : Self(columns, Mask(.each(mask)), place: place)
    }
}
