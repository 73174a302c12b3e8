import ArgumentParser
import Databudgie

/// The option of runs that says where monitoring finds how they ended.
struct MetricsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write how the run ended to this file, for Prometheus's textfile collector.",
            valueName: "file"
        ),
        completion: .file(extensions: ["prom"])
    )
    var metrics: String?

    func validate() throws {
        if metrics?.isEmpty == true { throw ValidationError("--metrics needs the path of a file") }
    }
}
