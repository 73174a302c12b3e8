extension SourceMapping {
    /// Lays this mapping over a weaker one, key by key.
    ///
    /// Lists and scalars replace what is below them, with three exceptions: `url` and `connection` are one setting under
    /// two names, `ddl: true` means `ddl: {enabled: true}`, and a table without options takes none away.
    /// - Parameters:
    ///   - weaker: The mapping below; its keys come first in the result.
    ///   - isTables: The mappings are the entries of `tables`.
    /// - Returns: All keys of both.
    func laid(over weaker: SourceMapping, isTables: Bool = false) -> SourceMapping {
        var result = weaker
        if self["connection"] != nil, self["url"] == nil { result["url"] = nil }
        if self["url"] != nil, self["connection"] == nil { result["connection"] = nil }
        for entry in entries {
            guard let below = result[entry.key] else {
                result.set(entry.key, entry.value, keyPlace: entry.keyPlace)
                continue
            }
            if isTables, entry.value.isNull, below.mapping != nil { continue }
            let value = entry.value.laid(over: below, key: isTables ? nil : entry.key)
            result.set(entry.key, value, keyPlace: entry.keyPlace)
        }
        return result
    }
}

extension SourceValue {
    fileprivate func laid(over weaker: SourceValue, key: String?) -> SourceValue {
        var (upper, lower) = (self, weaker)
        if key == "ddl", upper.mapping != nil || lower.mapping != nil {
            upper = upper.asDDLMapping
            lower = lower.asDDLMapping
        }
        guard let mapping = upper.mapping, let below = lower.mapping else { return self }
        return SourceValue(.mapping(mapping.laid(over: below, isTables: key == "tables")), at: upper.place)
    }

    private var asDDLMapping: SourceValue {
        guard scalar != nil, !isNull else { return self }
        var mapping = SourceMapping()
        mapping["enabled"] = self
        return SourceValue(.mapping(mapping), at: place)
    }
}
