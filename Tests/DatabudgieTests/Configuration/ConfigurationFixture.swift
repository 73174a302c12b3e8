import Foundation
import Testing

@testable import Databudgie

/// Reads a text as a configuration that is named `test.yml`, without any file or environment of the machine.
struct ConfigurationFixture {
    var text: String
    var format = ConfigurationFormat.yaml
    var environment: [String: String] = [:]
    var overrides = ConfigurationOverrides()
    var action: RunKind?
    var workingDirectory = "/nonexistent"

    init(_ text: String, format: ConfigurationFormat = .yaml, environment: [String: String] = [:]) {
        self.text = text
        self.format = format
        self.environment = environment
    }

    func load() throws(ConfigurationError) -> Configuration {
        var sources = ConfigurationSources(
            overrides: overrides,
            environment: environment,
            workingDirectory: workingDirectory
        )
        sources.overrides.rawConfig = text
        sources.overrides.rawConfigFormat = format
        sources.rawConfigName = "test.\(format.rawValue)"
        sources.looksForDefaultFiles = false
        let configuration = try Configuration.load(sources, for: action)
        checkSchema()
        return configuration
    }

    /// What is right for the parser is right for the schema, short forms and all.
    private func checkSchema() {
        guard action == nil, let mapping = try? format.read(text, source: "") else { return }
        #expect(SchemaCheck.ours.problem(mapping) == nil, "the schema refuses:\n\(text)")
    }

    /// The lines of the error; empty when there is none.
    var problems: [String] {
        do {
            _ = try load()
            return []
        } catch {
            return error.lines
        }
    }
}

/// Reads a YAML text.
func configuration(_ yaml: String, environment: [String: String] = [:]) throws -> Configuration {
    try ConfigurationFixture(yaml, environment: environment).load()
}

/// The lines of the error that a YAML text leads to.
func problems(_ yaml: String, environment: [String: String] = [:]) -> [String] {
    ConfigurationFixture(yaml, environment: environment).problems
}

/// A folder of its own for one test, with files in it.
func withFolder<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "databudgie-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, text) in files {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    return try body(folder)
}
