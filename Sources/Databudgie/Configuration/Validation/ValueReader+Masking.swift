extension ValueReader {
    /// The key, the policy and the rules of `masking`.
    func masking(_ value: SourceValue?) -> MaskingConfiguration? {
        guard let value, let mapping = mapping(value, "masking", .masking) else { return nil }
        var masking = MaskingConfiguration(
            key: maskingKey(mapping["key"]),
            policy: choice(mapping["policy"], "policy", MaskingConfiguration.Policy.self) ?? .open,
            columns: maskRules(mapping["columns"])
        )
        masking.keep = keptColumns(mapping["keep"])
        return masking
    }

    private func maskingKey(_ value: SourceValue?) -> MaskingConfiguration.Key? {
        guard let value, let text = anyText(value, "key"), !text.isEmpty else { return nil }
        if text.hasBytes(of: "random") { return .random }
        let secret = text.withoutLastLineBreak
        guard secret.utf8.count >= MaskingConfiguration.Key.minimalBytes else {
            // It is not repeated, because it is a secret.
            report.add(
                .invalidValue,
                "'key' of 'masking' has \(counted(secret.utf8.count, "byte")), and "
                    + "\(MaskingConfiguration.Key.minimalBytes) are the least",
                hint: "use a random one, from 'openssl rand -hex 32' for example, or write random",
                at: value.place
            )
            return nil
        }
        return .secret(secret)
    }

    private func maskRules(_ value: SourceValue?) -> [MaskingConfiguration.Rule] {
        guard let value, !value.isNull else { return [] }
        guard let mapping = value.mapping else {
            report.add(
                .wrongType,
                "'columns' of 'masking' must be a mapping of columns to masks, not \(value.noun)",
                at: value.place
            )
            return []
        }
        return mapping.entries.filter { !$0.isNote }.compactMap { entry in
            MaskReader(read: self, column: entry.key).mask(entry.value).map {
                MaskingConfiguration.Rule(entry.key, $0, place: entry.keyPlace.description)
            }
        }
    }

    private func keptColumns(_ value: SourceValue?) -> [MaskingConfiguration.Rule] {
        guard let value, let names = texts(value, "keep") else { return [] }
        let places = value.list?.map(\.place) ?? []
        return names.enumerated().map { number, name in
            let place = names.count == places.count ? places[number] : value.place
            return MaskingConfiguration.Rule(name, Mask(.keep), place: place.description)
        }
    }
}
