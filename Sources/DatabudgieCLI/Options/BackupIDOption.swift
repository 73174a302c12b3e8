import ArgumentParser

/// The option of a backup that continues another one.
struct BackupIDOption: ParsableArguments {
    @Option(name: .customLong("backup-id"), help: ArgumentHelp("Resume the run with this id.", valueName: "number"))
    var backupID: Int?
}
