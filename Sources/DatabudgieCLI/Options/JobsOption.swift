import ArgumentParser
import Databudgie

/// The option of runs that do several things at once.
struct JobsOption: ParsableArguments {
    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp("Export this many tables, or load this many groups of them, at once.", valueName: "number")
    )
    var jobs: Int?

    func validate() throws {
        if let jobs, !(1...BackupConfiguration.mostJobs).contains(jobs) {
            throw ValidationError("--jobs is a number from 1 to \(BackupConfiguration.mostJobs)")
        }
    }
}
