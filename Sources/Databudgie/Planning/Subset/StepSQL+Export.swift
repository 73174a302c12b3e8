import Postgres

extension StepSQL {
    /// The rows of a batch, as they are exported.
    ///
    /// Columns are named in the order of the whole table, because partitions may have another one.
    /// - Parameters:
    ///   - columns: The columns of the file.
    ///   - leaf: The table that holds the rows.
    ///   - node: The table that they belong to.
    ///   - nulls: Columns that are NULL.
    ///   - arrays: Columns that are arrays without some elements, in the order of ``elementSettings(of:)``.
    ///   - joins: What the columns' expressions need besides the table, to follow it in the FROM clause.
    /// - Returns: A SELECT.
    func export(
        _ columns: [ExportColumn],
        from leaf: SubsetGraph.Leaf,
        of node: Int,
        nulls: [String],
        arrays: [String] = [],
        joins: String = ""
    ) -> String {
        let values = columns.map { column in
            let isNull = nulls.contains { $0.hasBytes(of: column.name) }
            let array = arrays.firstIndex { $0.hasBytes(of: column.name) }
            let rest = array.map { Self.array(column, number: $0) } ?? column.expression
            return Self.value(isNull ? "null::\(column.type)" : rest, column)
        }
        let rows = Self.rows(leaf, of: graph.nodes[node], false, [], join: joins)
        return "select \(values.joined(separator: ", ")) from \(rows)"
    }

    /// How many rows of a batch a CHECK constraint refuses, once columns are NULL.
    func refused(
        by check: CutCheck,
        from leaf: SubsetGraph.Leaf,
        of node: Int,
        nulls: [String]
    ) -> SubsetStatement {
        let values = check.columns.map { column in
            let isNull = nulls.contains { $0.hasBytes(of: column.name) }
            return (isNull ? "null::\(column.type)" : "t.\(quotedIdentifier(column.name))")
                + " as \(quotedIdentifier(column.name))"
        }
        let rows = Self.rows(leaf, of: graph.nodes[node], false, [])
        return SubsetStatement(
            text: """
                select pg_catalog.count(*) as count from (select \(values.joined(separator: ", ")) from \(rows)) as s
                where not (\(check.expression))
                """,
            hasUserText: false
        )
    }

    /// The settings that hold which elements are missing in an array: the places of rows, and the numbers of elements.
    static func elementSettings(of array: Int) -> (rows: String, numbers: String) {
        ("databudgie.array\(array)_rows", "databudgie.array\(array)_elements")
    }

    /// An array without some elements; the subquery depends on nothing, so the server looks into a hash table.
    private static func array(_ column: ExportColumn, number: Int) -> String {
        let settings = elementSettings(of: number)
        let value = column.expression ?? "t.\(quotedIdentifier(column.name))"
        return """
            case when \(value) is null then null else (select coalesce(pg_catalog.array_agg(e.v order by e.n), '{}')
            from pg_catalog.unnest(\(value)) with ordinality as e (v, n)
            where not ((t.ctid, e.n) operator(pg_catalog.=) any (select x.r, x.n from rows from (
            pg_catalog.unnest(pg_catalog.current_setting('\(settings.rows)')::pg_catalog.tid[]),
            pg_catalog.unnest(pg_catalog.current_setting('\(settings.numbers)')::pg_catalog.int8[])) as x (r, n))))
            end::\(column.type)
            """
    }

    /// The columns of a file without rows.
    ///
    /// - Parameters:
    ///   - columns: The columns of the file.
    ///   - table: The table; with `only` before it unless it is partitioned.
    ///   - joins: As for rows.
    /// - Returns: A SELECT without rows.
    func header(_ columns: [ExportColumn], of table: String, joins: String = "") -> String {
        let values = columns.map { Self.value($0.expression, $0) }
        return "select \(values.joined(separator: ", ")) from \(table) as t\(joins) where false"
    }

    private static func value(_ expression: String?, _ column: ExportColumn) -> String {
        let name = quotedIdentifier(column.name)
        return "\(expression ?? "t.\(name)") as \(name)"
    }

    /// The rows of a batch that refer to a table that is not part of the run.
    ///
    /// - Returns: A SELECT of `tableoid` and `ctid`.
    func leavingRows(
        _ reference: LeavingReference,
        from leaf: SubsetGraph.Leaf,
        isWhole: Bool
    ) -> SubsetStatement {
        SubsetStatement(
            text: "select t.tableoid, t.ctid from " + leavingSource(reference, leaf, isWhole),
            hasUserText: reference.hasUserText
        )
    }

    /// How many rows of a batch refer to a table that is not part of the run.
    func leaving(_ reference: LeavingReference, from leaf: SubsetGraph.Leaf, isWhole: Bool) -> SubsetStatement {
        SubsetStatement(
            text: "select pg_catalog.count(*) as count from " + leavingSource(reference, leaf, isWhole),
            hasUserText: reference.hasUserText
        )
    }

    private func leavingSource(_ reference: LeavingReference, _ leaf: SubsetGraph.Leaf, _ isWhole: Bool) -> String {
        let isReference =
            Self.user(reference.expression).map { ["\($0) is not null"] }
            ?? reference.columns.map { column in
                let value = "t.\(quotedIdentifier(column))"
                return reference.isArray
                    ? "exists (select from pg_catalog.unnest(\(value)) as databudgie_e (v) where databudgie_e.v is not null)"
                    : "\(value) is not null"
            }
        let conditions = [Self.user(reference.condition)].compactMap(\.self) + isReference
        return Self.rows(leaf, of: graph.nodes[reference.child.node], isWhole, conditions)
    }
}
