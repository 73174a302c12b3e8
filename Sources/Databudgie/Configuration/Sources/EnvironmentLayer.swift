/// The configuration that environment variables hold: `DATABUDGIE_RESTORE__DDL__CLEAN=1`.
enum EnvironmentLayer {
    static let prefix = "DATABUDGIE_"
    /// How the places of all its values begin.
    static let placePrefix = "environment variable "

    /// - Parameter environment: All variables; those without the prefix are not ours.
    /// - Returns: The configuration that the variables make up.
    /// - Throws: ``ConfigurationError`` when one variable holds a value where another one nests.
    static func read(_ environment: [String: String]) throws(ConfigurationError) -> SourceMapping {
        var root = SourceMapping()
        let ours = environment.filter { name, _ in
            // What a command is told in a notification is no setting of a program that it runs.
            name.startsWithBytes(of: prefix) && !NotificationTarget.variables.contains(name)
        }
        for (name, value) in ours.sorted(by: { ByteKey($0.key) < ByteKey($1.key) }) {
            let path = String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self).lowercased().utf8
                .split(separator: "__".utf8, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            let place = SourcePlace(placePrefix + name)
            let scalar = SourceValue(SourceScalar(.untyped, value), at: place)
            try set(scalar, at: path[...], in: &root)
        }
        return root
    }

    private static func set(
        _ value: SourceValue,
        at path: ArraySlice<String>,
        in mapping: inout SourceMapping
    ) throws(ConfigurationError) {
        guard let key = path.first else { return }
        if path.count == 1, mapping[key] == nil {
            mapping[key] = value
            return
        }
        let existing = mapping[key]
        guard path.count > 1, existing == nil || existing?.mapping != nil else {
            throw ConfigurationError(
                .conflictingOptions,
                "another variable sets the same key '\(key)' as a whole or in part",
                hint: "unset one of them",
                at: value.place
            )
        }
        var inner = existing?.mapping ?? SourceMapping()
        try set(value, at: path.dropFirst(), in: &inner)
        mapping[key] = SourceValue(.mapping(inner), at: existing?.place ?? value.place)
    }
}
