extension Sequence where Element: LosslessStringConvertible {
    /// The elements as an array for a statement's parameter: numbers or booleans, which need no quotes.
    var arrayLiteral: String { "{" + map(\.description).joined(separator: ",") + "}" }
}
