import Databudgie

/// Options of the command line that are known, and that this version cannot honour yet.
enum UnsupportedOption {
    /// `--clean`.
    static let clean = DatabudgieError(
        .configuration,
        "--clean is not supported yet: this version does not drop and create databases. "
            + "Create the target database by hand and leave the option out."
    )

    /// `--backup-id` or `--restore-id`.
    static func manifestTransaction(_ option: String) -> DatabudgieError {
        DatabudgieError(
            .configuration,
            "\(option) is not supported yet: this version keeps no manifest table. Leave the option out."
        )
    }
}
