import ArgumentParser

/// The values of `--adapter`.
enum Adapter: String, ExpressibleByArgument, CaseIterable {
    case postgres, postgresql, python

    init?(argument: String) {
        self.init(rawValue: argument.lowercased())
    }
}
