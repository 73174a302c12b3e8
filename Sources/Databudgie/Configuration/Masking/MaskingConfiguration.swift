/// Which columns of a backup are masked, and how (`masking`).
///
/// Masks are computed by the server: unmasked values never leave it.
///
/// ```swift
/// let masking = MaskingConfiguration(
///     key: .secret(secret),
///     policy: .strict,
///     columns: [.init("*.email", Mask(.email)), .init("public.customers.income", Mask(.noise(percent: 10), by: "id"))],
///     keep: ["*.id", "*_id"]
/// )
/// ```
public struct MaskingConfiguration: Sendable, Equatable {
    /// What becomes of columns without a rule.
    public enum Policy: String, Sendable, CaseIterable {
        /// They are exported as they are, counted and reported.
        case open
        /// They stop the run.
        case strict
    }

    /// What keyed masks depend on: equal values get equal masks under the same key.
    public enum Key: Sendable, Equatable, CustomStringConvertible {
        /// At least ``minimalBytes`` bytes, which never reach the server.
        case secret(String)
        /// Another one in each run, so nothing is equal from run to run.
        case random

        /// The least length of a secret, in bytes.
        public static let minimalBytes = 16

        /// The word `random`, or asterisks.
        public var description: String {
            switch self {
            case .secret: ConfigurationPrinter.mask
            case .random: "random"
            }
        }
    }

    /// A mask for all columns that a name or a glob stands for.
    public struct Rule: Sendable, Equatable {
        /// An exact name or a glob over `schema.table.column`.
        public var columns: String
        /// The mask.
        public var mask: Mask
        /// Where the rule is, for messages: `databudgie.yml:12`.
        public var place: String

        /// Gives columns a mask.
        ///
        /// - Parameters:
        ///   - columns: An exact name or a glob over `schema.table.column`; an exact name beats a glob.
        ///   - mask: The mask.
        ///   - place: Where the rule is, for messages; nil: the names themselves.
        public init(_ columns: String, _ mask: Mask, place: String? = nil) {
            (self.columns, self.mask) = (columns, mask)
            self.place = place ?? "the rule '\(columns)'"
        }
    }

    /// What keyed masks depend on; nil: a random one for each run.
    public var key: Key?
    /// What becomes of columns without a rule.
    public var policy: Policy
    /// The masks, in order of appearance.
    public var columns: [Rule]
    /// The columns that are exported as they are: rules whose mask is ``Mask/Kind/keep``.
    public var keep: [Rule]

    /// Gathers rules.
    ///
    /// - Parameters:
    ///   - key: What keyed masks depend on; nil: a random one for each run.
    ///   - policy: What becomes of columns without a rule.
    ///   - columns: The masks.
    ///   - keep: Exact names or globs over `schema.table.column` of what is exported as it is.
    public init(key: Key? = nil, policy: Policy = .open, columns: [Rule] = [], keep: [String] = []) {
        (self.key, self.policy, self.columns) = (key, policy, columns)
        self.keep = keep.map { Rule($0, Mask(.keep)) }
    }

    /// All rules, those of ``keep`` last.
    var rules: [Rule] { columns + keep }
}
