import ArgumentParser

/// The form of progress and messages.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json

    /// The form that a command line asks for, even one that cannot be parsed.
    ///
    /// - Parameter arguments: The arguments without the program's name.
    init(requestedIn arguments: [String]) {
        let option = "--log-format"
        let values = zip(arguments, arguments.dropFirst()).filter { $0.0 == option }.map(\.1)
        let asksForJSON = values.last == LogFormat.json.rawValue || arguments.contains("\(option)=\(LogFormat.json)")
        self = asksForJSON ? .json : .text
    }
}
