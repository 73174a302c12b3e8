/// Which rows of the tables a backup takes (`subset`): those of the start, and what foreign keys connect with them.
public struct SubsetSettings: Sendable, Equatable {
    /// What is chosen; several add up.
    public var start: [SubsetStart]
    /// Rows that refer to chosen rows are chosen, too, unless a reference says otherwise (`children`).
    public var includesChildren: Bool
    /// Names or globs of tables of which all rows are taken, whoever refers to them.
    public var whole: [String]
    /// What becomes of tables that no chain of references connects with the start; nil: an error with ``tenants``, and whole
    /// without.
    public var unconnected: Unconnected?
    /// The run stops when the subset has more rows than this; nil: no limit.
    public var maximumRows: Int?
    /// What is special about references, in the order of appearance.
    public var references: [SubsetReference]
    /// The table of the tenants: nothing of a row of it that is not chosen is taken.
    public var tenants: String?
    /// What becomes of references to rows of other tenants.
    public var crossing: Crossing

    /// What becomes of tables that no chain of references connects with the start.
    public enum Unconnected: String, Sendable, CaseIterable {
        /// All of their rows are taken.
        case whole
        /// None of their rows is taken.
        case empty = "none"
        /// They stop the run.
        case error
    }

    /// What becomes of references to rows of other tenants.
    public enum Crossing: String, Sendable, CaseIterable {
        /// They stop the run before anything is written.
        case error
        /// The reference is NULL in the file.
        case cut
        /// The row that is referred to is taken.
        case include
    }

    /// Describes a subset.
    ///
    /// - Parameters:
    ///   - start: What is chosen; several add up.
    ///   - includesChildren: Rows that refer to chosen rows are chosen, too.
    ///   - whole: Names or globs of tables of which all rows are taken.
    ///   - unconnected: What becomes of tables that no chain of references connects with the start.
    ///   - maximumRows: The run stops when the subset has more rows than this.
    ///   - references: What is special about references.
    ///   - tenants: The table of the tenants.
    ///   - crossing: What becomes of references to rows of other tenants.
    public init(
        start: [SubsetStart],
        includesChildren: Bool = true,
        whole: [String] = [],
        unconnected: Unconnected? = nil,
        maximumRows: Int? = nil,
        references: [SubsetReference] = [],
        tenants: String? = nil,
        crossing: Crossing = .error
    ) {
        (self.start, self.includesChildren, self.whole) = (start, includesChildren, whole)
        (self.unconnected, self.maximumRows, self.references) = (unconnected, maximumRows, references)
        (self.tenants, self.crossing) = (tenants, crossing)
    }

    /// What becomes of unconnected tables, with its default.
    var unconnectedOrDefault: Unconnected { unconnected ?? (tenants == nil ? .whole : .error) }
}

/// Rows of a table with which a subset begins.
public struct SubsetStart: Sendable, Equatable {
    /// The name of the table, or a glob.
    public var table: String
    /// An SQL condition over the columns of the table; nil: all rows.
    public var condition: String?
    /// The SQL of an ORDER BY, for the limit.
    public var order: String?
    /// The most rows; nil: no limit.
    public var limit: Int?
    /// The share of the rows, by a hash of the primary key; nil: all.
    public var sample: SubsetSample?
    /// It is not an error when it selects nothing.
    public var allowsNone: Bool

    /// Describes rows with which a subset begins.
    ///
    /// - Parameters:
    ///   - table: The name of the table, or a glob.
    ///   - condition: An SQL condition over the columns of the table; nil: all rows.
    ///   - order: The SQL of an ORDER BY, for the limit.
    ///   - limit: The most rows.
    ///   - sample: The share of the rows.
    ///   - allowsNone: It is not an error when it selects nothing.
    public init(
        _ table: String,
        where condition: String? = nil,
        order: String? = nil,
        limit: Int? = nil,
        sample: SubsetSample? = nil,
        allowsNone: Bool = false
    ) {
        (self.table, self.condition, self.order) = (table, condition, order)
        (self.limit, self.sample, self.allowsNone) = (limit, sample, allowsNone)
    }
}

/// What a subset does with references: foreign keys, or columns that refer to a table without one.
public struct SubsetReference: Sendable, Equatable {
    /// `table.column`, `table(column, …)` or `table.constraint`; a glob stands for all that it matches.
    public var name: String
    /// How it is followed; nil: the default.
    public var follow: Follow?
    /// The column that it refers to, `table.column`, when no constraint says so.
    public var target: String?
    /// An SQL condition over the columns of the referring table: the reference is one when it is true.
    public var condition: String?
    /// An SQL expression over the columns of the referring table, in place of a column.
    public var expression: String?
    /// The column is an array, each element of which is a reference.
    public var isArray: Bool
    /// Which of the rows that refer to a chosen row are chosen: an SQL condition over their columns.
    public var children: String?
    /// The most rows that refer to one chosen row and are chosen; nil: no limit.
    public var limit: Int?
    /// The SQL of an ORDER BY over the columns of the referring table, for the limit.
    public var order: String?
    /// The share of the rows that refer to a chosen row, by a hash of their primary key; nil: all.
    public var sample: SubsetSample?

    /// How a reference is followed.
    public enum Follow: String, Sendable, CaseIterable {
        /// The row that is referred to is taken, and rows that refer to a chosen one are chosen.
        case both
        /// The row that is referred to is taken.
        case parents
        /// The row that is referred to is taken, as a chosen one if the referring one is chosen.
        case through
        /// Not followed: NULL in the file when the row that is referred to is not taken.
        case cut
        /// Not followed: the value stays, even if it leads nowhere.
        case ignore
    }

    /// Describes what a subset does with a reference.
    ///
    /// - Parameters:
    ///   - name: `table.column`, `table(column, …)` or `table.constraint`, or a glob.
    ///   - follow: How it is followed; nil: the default.
    ///   - target: The column that it refers to, `table.column`, when no constraint says so.
    ///   - condition: The reference is one when this SQL is true.
    ///   - expression: An SQL expression in place of a column.
    ///   - isArray: The column is an array of references.
    ///   - children: Which of the rows that refer to a chosen row are chosen, in SQL.
    ///   - limit: The most rows that refer to one chosen row and are chosen.
    ///   - order: The SQL of an ORDER BY, for the limit.
    ///   - sample: The share of the rows that refer to a chosen row.
    public init(
        _ name: String,
        follow: Follow? = nil,
        to target: String? = nil,
        when condition: String? = nil,
        expression: String? = nil,
        isArray: Bool = false,
        children: String? = nil,
        limit: Int? = nil,
        order: String? = nil,
        sample: SubsetSample? = nil
    ) {
        (self.name, self.follow, self.target, self.condition) = (name, follow, target, condition)
        (self.expression, self.isArray) = (expression, isArray)
        (self.children, self.limit, self.order, self.sample) = (children, limit, order, sample)
    }

    /// It says which of the referring rows are chosen.
    var restrictsChildren: Bool { children != nil || limit != nil || order != nil || sample != nil }
}

/// A share of rows, as `1%` or `0.25%`.
public struct SubsetSample: Sendable, Hashable, CustomStringConvertible {
    /// The share as it is written.
    public let description: String
    /// A row belongs to it when the first 32 bits of its hash are less: from 1 to 2³².
    let threshold: UInt64

    /// Reads a share; nil when the text is not one between 0 and 100 %, or is too small to be told from 0.
    ///
    /// - Parameter text: A decimal number with a percent sign.
    public init?(_ text: String) {
        let isForm = text.utf8.allSatisfy { "0123456789.%".utf8.contains($0) } && text.utf8.last == UInt8(ascii: "%")
        guard isForm, let percent = Double(text.dropLast()), percent > 0, percent <= 100 else { return nil }
        let threshold = (percent / 100 * 4_294_967_296).rounded(.down)
        guard threshold >= 1 else { return nil }
        (description, self.threshold) = (text, UInt64(threshold))
    }
}
