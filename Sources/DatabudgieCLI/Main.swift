import Foundation

/// The program `databudgie`: hands the command line over and ends with the status that comes back.
@main
enum Main {
    static func main() async {
        BrokenPipe.ignoreSignal()
        let status = await CommandLineTool().run(Array(CommandLine.arguments.dropFirst()))
        exit(status.code)
    }
}
