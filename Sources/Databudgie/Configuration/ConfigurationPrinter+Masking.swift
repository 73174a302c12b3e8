import Yams

/// How masks are printed.
extension ConfigurationPrinter {
    func masking(_ masking: MaskingConfiguration) -> Node {
        mapping([
            ("key", text(masking.key?.description)), ("policy", text(masking.policy.rawValue)),
            ("columns", mapping(masking.columns.map { ($0.columns, mask($0.mask)) })),
            ("keep", list(masking.keep.map { text($0.columns) })),
        ])
    }

    /// All that decides what becomes of columns, without the key, as one string: equal rules are equal strings.
    func rules(of masking: MaskingConfiguration) -> String {
        var masking = masking
        masking.key = nil
        return (try? serialize(node: self.masking(masking), width: -1, allowUnicode: true)) ?? ""
    }

    /// A word when that says all of it.
    private func mask(_ mask: Mask) -> Node {
        var pairs: [Pair] = [argument(mask).map { (mask.name, $0) } ?? ("mask", text(mask.name))]
        if case .sql(_, isUnique: true) = mask.kind { pairs.append(("unique", bool(true))) }
        if let by = mask.by { pairs.append(("by", text(by))) }
        if let context = mask.context { pairs.append(("context", text(context))) }
        if mask.locale != .english { pairs.append(("locale", text(mask.locale.rawValue))) }
        return pairs.count == 1 && argument(mask) == nil ? text(mask.name) : mapping(pairs)
    }

    /// What the mask needs besides its name; nil when it needs nothing.
    private func argument(_ mask: Mask) -> Node? {
        switch mask.kind {
        case .keep, .null, .hash, .email, .name, .digits, .scramble, .filler, .ip, .choose(nil): nil
        case .value(let value): text(value)
        case .shift(let shift): text(shift.description)
        case .truncate(let unit): text(unit.rawValue)
        case .noise(let percent): text("\(plainNumber(percent))%")
        case .redact(let first, let last): mapping([("first", number(Double(first))), ("last", number(Double(last)))])
        case .choose(let values?): list(values.map { text($0) })
        case .each(let mask): self.mask(mask)
        case .paths(let paths): mapping(paths.map { ($0.path.description, self.mask($0.mask)) })
        case .keepPaths(let paths): list(paths.map { text($0.description) })
        case .sql(let sql, _): text(sql)
        }
    }

    private func plainNumber(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String(value)
    }
}
