import ArgumentParser
import Databudgie

/// The value of `--raw-config-format`: JSON when none is given, which is not the same as asking for it.
struct InputFormat: ExpressibleByArgument {
    /// What is read.
    let format: ConfigurationFormat
    /// The command line names the format.
    let isGiven: Bool

    static let unnamed = InputFormat(format: .json, isGiven: false)

    static var allValueStrings: [String] { ConfigurationFormat.allCases.map(\.rawValue) }

    var defaultValueDescription: String { format.rawValue }

    private init(format: ConfigurationFormat, isGiven: Bool) {
        self.format = format
        self.isGiven = isGiven
    }

    init?(argument: String) {
        guard let format = ConfigurationFormat(rawValue: argument) else { return nil }
        self.init(format: format, isGiven: true)
    }
}
