/// Lets only masked sets be restored, where the configuration says so (`require_masked`).
struct RequiredMasks {
    private let isRequired: Bool
    /// The entries that choose their files without a set, and so without knowing whether these are masked.
    private let places: [String]

    init(_ configuration: RestoreConfiguration) {
        isRequired = configuration.requiresMasks
        places = configuration.tables.filter { !$0.takesSet }.map(\.options.place)
    }

    /// Checks a set whose files are loaded otherwise than by a restore.
    ///
    /// - Parameter record: Of the set.
    /// - Throws: ``DatabudgieError`` when some column may be unmasked.
    func check(all record: SetRecord) throws(DatabudgieError) {
        guard isRequired else { return }
        try Self.check(record)
    }

    /// Checks what a restore is about to read.
    ///
    /// - Parameter record: Of the set; nil when files are chosen by their names.
    /// - Throws: ``DatabudgieError`` when some column may be unmasked.
    func check(_ record: SetRecord?) throws(DatabudgieError) {
        guard isRequired else { return }
        guard let record else {
            throw Self.refusal("the files of this restore are of no set, so whether they are masked is not known")
        }
        if let place = places.first {
            throw Self.refusal("\(place): files are chosen without a set, so whether they are masked is not known")
        }
        try Self.check(record)
    }

    private static func check(_ record: SetRecord) throws(DatabudgieError) {
        guard let masking = record.masking else { throw refusal("the set \(record.id) is not masked") }
        guard masking.unclassified == 0 else {
            let columns = counted(masking.unclassified, "column")
            throw refusal("the set \(record.id) has \(columns) that no rule masks or keeps")
        }
    }

    private static func refusal(_ message: String) -> DatabudgieError {
        DatabudgieError(
            .preflight,
            message,
            hint: "restore a set that was written with 'masking' and 'policy: strict', or remove 'require_masked'"
        )
    }
}
