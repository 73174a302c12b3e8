import Postgres

/// A statement of a subset, to be embedded in COPY or run as a query.
struct SubsetStatement: Sendable {
    let text: String
    /// It contains SQL of the user's, which runs with the search path of the session; ours runs with an empty one.
    let hasUserText: Bool
}

/// The statements with which a subset is found; their texts are constant.
///
/// The rows of a batch are a setting (``rowsSetting``), which is set by a bind parameter: as literals they would be in logs,
/// and the planner would turn to a sequential scan a batch. The common table expressions are materialized, because otherwise
/// the list can be read again for each row. SQL of the user's sees `t` alone, so its columns
/// need no qualification; whatever else of ours is in its scope has a name that no table or column of the user's has.
struct StepSQL {
    let graph: SubsetGraph

    /// The setting that holds the places of a batch, an array of `tid`.
    static let rowsSetting = "databudgie.rows"
    /// The setting that holds their tables, an array of `oid`, where they are of several.
    static let tablesSetting = "databudgie.tables"

    private static let places = "pg_catalog.current_setting('\(rowsSetting)')::pg_catalog.tid[]"
    private static let equal = "operator(pg_catalog.=)"

    /// The rows with which a subset begins.
    ///
    /// - Parameter start: A table, and what is chosen there.
    /// - Returns: A SELECT of `tableoid` and `ctid`.
    func start(_ start: SubsetPlan.Start) -> SubsetStatement {
        let (node, rows) = (graph.nodes[start.node], start.rows)
        var conditions = [Self.user(rows.condition)].compactMap(\.self)
        if let sample = rows.sample { conditions.append(Self.sample(sample, node)) }
        var text =
            "select t.tableoid, t.ctid from \(Self.from(node.name, isPartitioned: node.isPartitioned)) as t"
            + Self.filter(conditions)
        if let limit = rows.limit { text += " order by \(Self.order(rows.order, node)) limit \(limit)" }
        return SubsetStatement(text: text, hasUserText: rows.condition != nil || rows.order != nil)
    }

    /// All rows of a node.
    func all(_ node: Int) -> SubsetStatement {
        let node = graph.nodes[node]
        return SubsetStatement(
            text: "select t.tableoid, t.ctid from \(Self.from(node)) as t",
            hasUserText: false
        )
    }

    /// The rows that an arc leads to from rows of one table.
    ///
    /// - Parameters:
    ///   - arc: A reference in one direction.
    ///   - leaf: The table.
    ///   - isWhole: From all rows of it, instead of those of the batch.
    /// - Returns: A SELECT of `tableoid` and `ctid`.
    func step(_ arc: SubsetGraph.Arc, from leaf: SubsetGraph.Leaf, isWhole: Bool) -> SubsetStatement {
        let edge = graph.edges[arc.edge]
        let text =
            !arc.isDownward
            ? upward(edge, leaf, isWhole)
            : edge.children.limit == nil ? downward(edge, leaf, isWhole) : downwardLimited(edge, leaf, isWhole)
        return SubsetStatement(text: text, hasUserText: edge.hasUserText(isDownward: arc.isDownward))
    }

    private func upward(_ edge: SubsetGraph.Edge, _ leaf: SubsetGraph.Leaf, _ isWhole: Bool) -> String {
        """
        with databudgie_k as materialized (\(childKeys(edge, leaf, isWhole, addresses: false)))
        select p.tableoid, p.ctid from \(Self.from(edge.parent)) as p
        where exists (select from databudgie_k where \(Self.comparison(edge, parent: Self.parentKeys(edge, "p"), child: Self.keys(edge, "databudgie_k"))))
        """
    }

    private func downward(_ edge: SubsetGraph.Edge, _ leaf: SubsetGraph.Leaf, _ isWhole: Bool) -> String {
        """
        with databudgie_k as materialized (\(parentRows(edge, leaf, isWhole)))
        select c.databudgie_o, c.databudgie_r from databudgie_k join (
        \(children(edge))
        ) c on \(Self.comparison(edge, parent: Self.keys(edge, "databudgie_k"), child: Self.keys(edge, "c")))
        """
    }

    /// Rows that refer, with the keys by which they do.
    private func children(_ edge: SubsetGraph.Edge) -> String {
        let (keys, join) = Self.childExpressions(edge)
        return
            "select t.tableoid as databudgie_o, t.ctid as databudgie_r, \(keys) from \(Self.from(edge.child)) as t\(join)"
            + Self.filter(childConditions(edge))
    }

    /// The first rows of each parent; where no index finds them, the table is read once a batch, and not once a parent.
    private func downwardLimited(_ edge: SubsetGraph.Edge, _ leaf: SubsetGraph.Leaf, _ isWhole: Bool) -> String {
        let (child, limit) = (graph.nodes[edge.child.node], edge.children.limit ?? 0)
        let order = Self.order(edge.children.order, child)
        let with = "with databudgie_k as materialized (\(parentRows(edge, leaf, isWhole)))"
        let expressions = Self.childExpressionList(edge)
        let from = Self.from(edge.child)
        guard edge.hasChildIndex else {
            // What the user has written is in a scope of its own, where k cannot be meant.
            let keys = expressions.enumerated().map { "\($1) as databudgie_k\($0)" }.joined(separator: ", ")
            let columns = Self.keys(edge, "c")
            let matches = Self.comparison(
                edge,
                parent: Self.keys(edge, "databudgie_k"),
                child: columns,
                isElement: edge.isArray
            )
            return """
                \(with)
                select n.databudgie_o, n.databudgie_r from (
                select c.databudgie_o, c.databudgie_r, pg_catalog.row_number() over (partition by databudgie_k.databudgie_o, databudgie_k.databudgie_r order by c.databudgie_n) as databudgie_n from databudgie_k join (
                select t.tableoid as databudgie_o, t.ctid as databudgie_r, \(keys), pg_catalog.row_number() over (order by \(order)) as databudgie_n
                from \(from) as t\(Self.filter(childConditions(edge)))
                ) c on \(matches)
                ) n where n.databudgie_n operator(pg_catalog.<=) \(limit)
                """
        }
        let matches = Self.comparison(
            edge,
            parent: Self.keys(edge, "databudgie_k"),
            child: expressions,
            isElement: edge.isArray
        )
        // Without names of ours in the list, because ORDER BY would take those first.
        return """
            \(with)
            select c.databudgie_o, c.databudgie_r from databudgie_k cross join lateral (
            select t.tableoid, t.ctid from \(from) as t\(Self.filter(childConditions(edge) + [matches]))
            order by \(order) limit \(limit)
            ) c (databudgie_o, databudgie_r)
            """
    }

    /// Which rows of a batch refer to which rows, to find those whose parent is not part of the subset.
    ///
    /// - Returns: A SELECT of the address of the child, of the number of an element, which is 0 for what is not an array, and of
    ///   the address of the parent, which is NULL when there is none.
    func pairs(_ edge: Int, from leaf: SubsetGraph.Leaf, isWhole: Bool) -> SubsetStatement {
        let edge = graph.edges[edge]
        let text = """
            with databudgie_k as materialized (\(childKeys(edge, leaf, isWhole, addresses: true)))
            select databudgie_k.databudgie_o, databudgie_k.databudgie_r, \(edge.isArray ? "databudgie_k.databudgie_n" : "0"), p.tableoid, p.ctid from databudgie_k left join \(Self.from(edge.parent)) as p
            on \(Self.comparison(edge, parent: Self.parentKeys(edge, "p"), child: Self.keys(edge, "databudgie_k")))
            where \(Self.isReference(edge, "databudgie_k"))
            """
        return SubsetStatement(text: text, hasUserText: edge.hasUserText(isDownward: false))
    }

    /// How many rows of a batch refer to a row that does not exist, neither in its parent nor in those of its group.
    func orphans(_ edge: Int, from leaf: SubsetGraph.Leaf, isWhole: Bool) -> SubsetStatement {
        let group = graph.group(of: edge)
        let edge = graph.edges[edge]
        let parents = group.map { graph.edges[$0] }.map { edge in
            """
            not exists (select from \(Self.from(edge.parent)) as p
            where \(Self.comparison(edge, parent: Self.parentKeys(edge, "p"), child: Self.keys(edge, "databudgie_k"))))
            """
        }
        let text = """
            with databudgie_k as materialized (\(childKeys(edge, leaf, isWhole, addresses: false)))
            select pg_catalog.count(*) as count from databudgie_k
            where \(Self.isReference(edge, "databudgie_k")) and \(parents.joined(separator: " and "))
            """
        return SubsetStatement(text: text, hasUserText: edge.hasUserText(isDownward: false))
    }

    /// How many rows a node has.
    func count(_ node: Int) -> SubsetStatement {
        let node = graph.nodes[node]
        return SubsetStatement(
            text: "select pg_catalog.count(*) as count from \(Self.from(node)) as t",
            hasUserText: false
        )
    }

    /// A value as it is in CSV, so that a comma in it is none between values.
    private static func csv(_ value: String) -> String {
        """
        case when \(value) operator(pg_catalog.~) '[",\r\n]' or \(value) \(equal) ''
        then '"' operator(pg_catalog.||) pg_catalog.replace(\(value), '"', '""') operator(pg_catalog.||) '"' else \(value) end
        """
    }

    /// The primary keys of a batch, as text, or the places of rows without one.
    func names(of node: Int, from leaf: SubsetGraph.Leaf) -> SubsetStatement {
        let node = graph.nodes[node]
        let key = node.primaryKey.map { column in
            let value = "t.\(quotedIdentifier(column.name))::pg_catalog.text"
            return node.primaryKey.count == 1 ? value : Self.csv(value)
        }
        let name =
            key.isEmpty
            ? "t.ctid::pg_catalog.text" : key.joined(separator: " operator(pg_catalog.||) ',' operator(pg_catalog.||) ")
        return SubsetStatement(
            text: "select \(name) as name from \(Self.rows(leaf, of: node, false, [])) order by t.ctid",
            hasUserText: false
        )
    }
}

extension StepSQL {
    /// Follows several arcs to their end, or to a number of rows, from the batch, in one statement.
    ///
    /// Rounds would take as many statements as a chain of references is long.
    /// - Parameters:
    ///   - arcs: Each with the number under which its rows are returned.
    ///   - limit: The most rows.
    /// - Returns: A SELECT of the number of the arc, `tableoid` and `ctid`.
    func chains(_ arcs: [SubsetGraph.Arc], limit: Int) -> SubsetStatement {
        let branches = arcs.enumerated().flatMap { number, arc in
            graph.source(of: arc).leaves.map { branch(arc, from: $0, number) }
        }
        // Type `tid` cannot be hashed before version 14, which UNION needs here.
        let text = """
            with recursive databudgie_found (databudgie_a, databudgie_o, databudgie_r) as (
            select -1, b.databudgie_o, b.databudgie_r::pg_catalog.text from rows from (
            pg_catalog.unnest(pg_catalog.current_setting('\(Self.tablesSetting)')::pg_catalog.oid[]),
            pg_catalog.unnest(\(Self.places))) as b (databudgie_o, databudgie_r)
            union
            select n.databudgie_a, n.databudgie_o, n.databudgie_r from databudgie_found databudgie_f cross join lateral (
            \(branches.joined(separator: "\nunion all\n"))
            ) n)
            select x.databudgie_a, x.databudgie_o, x.databudgie_r::pg_catalog.tid from databudgie_found x where x.databudgie_a operator(pg_catalog.>=) 0 limit \(limit)
            """
        let hasUserText = arcs.contains { graph.edges[$0.edge].hasUserText(isDownward: $0.isDownward) }
        return SubsetStatement(text: text, hasUserText: hasUserText)
    }

    private func branch(_ arc: SubsetGraph.Arc, from leaf: SubsetGraph.Leaf, _ number: Int) -> String {
        let edge = graph.edges[arc.edge]
        let root = graph.nodes[graph.source(of: arc).node]
        let isRow =
            "databudgie_f.databudgie_o \(Self.equal) \(leaf.relation)::pg_catalog.oid and t.ctid \(Self.equal) databudgie_f.databudgie_r::pg_catalog.tid"
        let source = Self.table(leaf, of: root)
        let select = "select \(number) as databudgie_a,"
        guard arc.isDownward else {
            let (keys, join) = Self.childExpressions(edge)
            let conditions = [Self.user(edge.condition)].compactMap(\.self) + [isRow]
            return """
                \(select) p.tableoid as databudgie_o, p.ctid::pg_catalog.text as databudgie_r from (
                select \(keys) from \(source)\(join)\(Self.filter(conditions))) databudgie_k
                join \(Self.from(edge.parent)) as p
                on \(Self.comparison(edge, parent: Self.parentKeys(edge, "p"), child: Self.keys(edge, "databudgie_k")))
                """
        }
        let keys = Self.parentKeys(edge, "t").enumerated().map { "\($1) as databudgie_k\($0)" }.joined(separator: ", ")
        let parents = "select \(keys) from \(source) where \(isRow)"
        guard let limit = edge.children.limit else {
            return """
                \(select) c.databudgie_o, c.databudgie_r::pg_catalog.text as databudgie_r from (\(parents)) databudgie_k join (
                \(children(edge))
                ) c on \(Self.comparison(edge, parent: Self.keys(edge, "databudgie_k"), child: Self.keys(edge, "c")))
                """
        }
        let expressions = Self.childExpressionList(edge)
        let matches = Self.comparison(
            edge,
            parent: Self.keys(edge, "databudgie_k"),
            child: expressions,
            isElement: edge.isArray
        )
        return """
            \(select) c.databudgie_o, c.databudgie_r::pg_catalog.text as databudgie_r from (\(parents)) databudgie_k cross join lateral (
            select t.tableoid, t.ctid from \(Self.from(edge.child)) as t\(Self.filter(childConditions(edge) + [matches]))
            order by \(Self.order(edge.children.order, graph.nodes[edge.child.node])) limit \(limit)
            ) c (databudgie_o, databudgie_r)
            """
    }
}

extension StepSQL {
    /// The table that holds rows of a batch; the root in its place, when the role may read only that.
    private static func table(_ leaf: SubsetGraph.Leaf, of root: SubsetGraph.Node) -> String {
        leaf.isReadable || leaf.relation == root.relation
            ? "only \(leaf.name.quoted) as t"
            : "(select u.*, u.tableoid, u.ctid from \(root.name.quoted) as u where u.tableoid \(equal) \(leaf.relation)::pg_catalog.oid) as t"
    }

    /// Rows of one table, `FROM` and `WHERE`.
    static func rows(
        _ leaf: SubsetGraph.Leaf,
        of root: SubsetGraph.Node,
        _ isWhole: Bool,
        _ conditions: [String],
        join: String = ""
    ) -> String {
        let isReadable = leaf.isReadable || leaf.relation == root.relation
        var all = conditions
        if !isReadable { all.append("t.tableoid \(equal) \(leaf.relation)::pg_catalog.oid") }
        if !isWhole { all.append("t.ctid \(equal) any (\(places))") }
        let from = isReadable ? "only \(leaf.name.quoted)" : root.name.quoted
        return "\(from) as t\(join)\(filter(all))"
    }

    static func from(_ name: QualifiedName, isPartitioned: Bool) -> String {
        isPartitioned ? name.quoted : "only \(name.quoted)"
    }

    /// All rows that belong to a node.
    static func from(_ node: SubsetGraph.Node) -> String {
        from(node.name, isPartitioned: node.isPartitioned || node.includesInherited)
    }

    private static func from(_ end: SubsetGraph.End) -> String { from(end.name, isPartitioned: end.isPartitioned) }

    /// A condition of the user's, on lines of its own, because it may end in a comment.
    static func user(_ condition: String?) -> String? { condition.map { "(\n\($0)\n)" } }

    static func filter(_ conditions: [String]) -> String {
        conditions.isEmpty ? "" : " where \(conditions.joined(separator: " and "))"
    }

    /// An order that leaves nothing open: the user's, then the primary key, then the place.
    private static func order(_ order: String?, _ node: SubsetGraph.Node) -> String {
        let key = node.primaryKey.map { "t.\(quotedIdentifier($0.name))" }
        return ((order.map { ["\n\($0)\n"] } ?? []) + key + ["t.tableoid", "t.ctid"]).joined(separator: ", ")
    }

    /// The same rows every time: those whose hash begins with less than the threshold.
    private static func sample(_ sample: SubsetSample, _ node: SubsetGraph.Node) -> String {
        guard sample.threshold < 1 << 32 else { return "true" }
        let texts = node.primaryKey.map { column in
            let value = "t.\(quotedIdentifier(column.name))"
            return (column.dependsOnTimeZone ? "pg_catalog.timezone('UTC', \(value))" : value) + "::pg_catalog.text"
        }
        let joined = texts.joined(separator: " operator(pg_catalog.||) '|' operator(pg_catalog.||) ")
        let digits = String(sample.threshold, radix: 16)
        let threshold = String(repeating: "0", count: 8 - digits.utf8.count) + digits
        return
            "pg_catalog.sha256(pg_catalog.convert_to(\(quotedLiteral(node.name.description + "|")) operator(pg_catalog.||) "
            + "\(joined), 'UTF8')) operator(pg_catalog.<) pg_catalog.decode('\(threshold)', 'hex')"
    }

    /// The conditions of children, beside their keys.
    private func childConditions(_ edge: SubsetGraph.Edge) -> [String] {
        var conditions = [Self.user(edge.condition), Self.user(edge.children.condition)].compactMap(\.self)
        if let sample = edge.children.sample { conditions.append(Self.sample(sample, graph.nodes[edge.child.node])) }
        return conditions
    }

    private func childKeys(
        _ edge: SubsetGraph.Edge,
        _ leaf: SubsetGraph.Leaf,
        _ isWhole: Bool,
        addresses: Bool
    ) -> String {
        let (keys, join) = Self.childExpressions(edge)
        let rows = Self.rows(
            leaf,
            of: graph.nodes[edge.child.node],
            isWhole,
            [Self.user(edge.condition)].compactMap(\.self),
            join: join
        )
        let number = edge.isArray ? "databudgie_e.databudgie_n, " : ""
        return
            "select \(addresses ? "t.tableoid as databudgie_o, t.ctid as databudgie_r, \(number)" : "")\(keys) from \(rows)"
    }

    private func parentRows(_ edge: SubsetGraph.Edge, _ leaf: SubsetGraph.Leaf, _ isWhole: Bool) -> String {
        let keys = Self.parentKeys(edge, "t").enumerated().map { "\($1) as databudgie_k\($0)" }.joined(separator: ", ")
        let rows = Self.rows(leaf, of: graph.nodes[edge.parent.node], isWhole, [])
        return "select t.tableoid as databudgie_o, t.ctid as databudgie_r, \(keys) from \(rows)"
    }

    /// The values by which a child refers, over `t`, and what they need beside it.
    private static func childExpressions(_ edge: SubsetGraph.Edge) -> (keys: String, join: String) {
        guard !edge.isArray else {
            let column = quotedIdentifier(edge.columns[0].child)
            return (
                "databudgie_e.databudgie_k0",
                " cross join lateral pg_catalog.unnest(t.\(column)) with ordinality as databudgie_e (databudgie_k0, databudgie_n)"
            )
        }
        let keys = childExpressionList(edge).enumerated().map { "\($1) as databudgie_k\($0)" }
        return (keys.joined(separator: ", "), "")
    }

    private static func childExpressionList(_ edge: SubsetGraph.Edge) -> [String] {
        if let expression = edge.expression { return ["(\n\(expression)\n)"] }
        return edge.columns.map { column in
            let cast = column.childCast.map { "::\($0)" } ?? ""
            let collation = column.collation.map { " collate \($0)" } ?? ""
            return "(t.\(quotedIdentifier(column.child))\(cast)\(collation))"
        }
    }

    private static func parentKeys(_ edge: SubsetGraph.Edge, _ alias: String) -> [String] {
        edge.columns.map { column in
            "\(alias).\(quotedIdentifier(column.parent))" + (column.parentCast.map { "::\($0)" } ?? "")
        }
    }

    private static func keys(_ edge: SubsetGraph.Edge, _ alias: String) -> [String] {
        edge.columns.indices.map { "\(alias).databudgie_k\($0)" }
    }

    /// A reference is one when none of its values is NULL.
    private static func isReference(_ edge: SubsetGraph.Edge, _ alias: String) -> String {
        keys(edge, alias).map { "\($0) is not null" }.joined(separator: " and ")
    }

    private static func comparison(
        _ edge: SubsetGraph.Edge,
        parent: [String],
        child: [String],
        isElement: Bool = false
    ) -> String {
        edge.columns.indices.map { index in
            "\(parent[index]) \(edge.columns[index].comparison) \(isElement ? "any (\(child[index]))" : child[index])"
        }.joined(separator: " and ")
    }
}

extension SubsetGraph.Edge {
    /// Its statements contain SQL of the user's.
    fileprivate func hasUserText(isDownward: Bool) -> Bool {
        expression != nil || condition != nil || isDownward && (children.condition != nil || children.order != nil)
    }
}
