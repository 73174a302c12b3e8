extension ValueReader {
    /// The rules of `rename`; those that cannot be used are reported.
    func renaming(_ value: SourceValue?) -> Renaming {
        guard let mapping = mapping(value, "rename", .rename) else { return Renaming() }
        return Renaming(schemas: rules(mapping["schema"], "schema"), tables: rules(mapping["table"], "table"))
    }

    /// Rules in the order of their appearance.
    private func rules(_ value: SourceValue?, _ key: String) -> [Renaming.Rule] {
        guard let value, !value.isNull else { return [] }
        guard let mapping = value.mapping else {
            report.add(.wrongType, "'\(key)' in 'rename' must be a mapping, not \(value.noun)", at: value.place)
            return []
        }
        return mapping.entries.compactMap { entry in
            guard !entry.value.isNull else {
                report.add(
                    .wrongType,
                    "'rename': '\(entry.key)' has no new name",
                    hint: "give it one, or remove it",
                    at: entry.keyPlace
                )
                return nil
            }
            guard let replacement = name(entry.value, entry.key) else { return nil }
            let rule = Renaming.Rule(entry.key, replacement)
            guard let problem = rule.problem else { return rule }
            report.add(.invalidValue, problem.message, hint: problem.hint, at: entry.value.place)
            return nil
        }
    }
}
