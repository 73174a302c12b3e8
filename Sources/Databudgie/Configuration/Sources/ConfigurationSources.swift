public import FoundationEssentials

/// Everything a configuration can come from.
public struct ConfigurationSources: Sendable {
    /// The files that are looked for when none is named, in this order; the first that exists is read.
    public static let defaultFiles = [
        "config.databudgie.yml", "databudgie.yml", "databudgie.yaml", "databudgie.json", "databudgie.toml",
    ]

    /// The environment among the names of sources.
    static let environmentName = "environment"

    /// What the command line says; strongest.
    public var overrides: ConfigurationOverrides
    /// The variables that interpolations and the `DATABUDGIE_` settings are read from.
    public var environment: [String: String]
    /// Configuration that arrived on standard input; nil or empty when there is none.
    public var standardInput: String?
    /// The folder that relative paths of configuration files, `FILE` and secrets start from.
    public var workingDirectory: String
    /// The name of ``ConfigurationOverrides/rawConfig`` in messages.
    var rawConfigName = "--raw-config"
    /// The default files are looked for when nothing else is given.
    var looksForDefaultFiles = true

    /// Creates a description of where a configuration comes from.
    ///
    /// - Parameters:
    ///   - overrides: What the command line says.
    ///   - environment: The variables; nothing else is read from the process's environment.
    ///   - standardInput: Configuration that arrived on standard input.
    ///   - workingDirectory: The folder that relative paths start from.
    public init(
        overrides: ConfigurationOverrides = ConfigurationOverrides(),
        environment: [String: String] = [:],
        standardInput: String? = nil,
        workingDirectory: String = FileManager.default.currentDirectoryPath
    ) {
        self.overrides = overrides
        self.environment = environment
        self.standardInput = standardInput
        self.workingDirectory = workingDirectory
    }

    /// Reads all sources and lays them over one another; the command line's options are not in the result.
    ///
    /// - Returns: The merged configuration, and the names of the sources that were read, strongest first.
    func merged() throws(ConfigurationError) -> (root: SourceMapping, names: [String]) {
        var layers: [SourceMapping] = [try EnvironmentLayer.read(environment)]
        var names = layers[0].isEmpty ? [] : [Self.environmentName]
        if let text = content(standardInput) {
            layers.append(try overrides.rawConfigFormat.read(text, source: "standard input"))
            names.append("standard input")
        }
        if let text = content(overrides.rawConfig) {
            layers.append(try overrides.rawConfigFormat.read(text, source: rawConfigName))
            names.append(rawConfigName)
        }
        var files = Array(overrides.configFiles.reversed())
        if files.isEmpty, layers.count == 1, looksForDefaultFiles {
            files = Self.defaultFiles.filter { exists($0) }.prefix(1).map { $0 }
        }
        for file in files {
            layers.append(try read(file))
            names.append(file)
        }
        var root = SourceMapping()
        for layer in layers.reversed() {
            root = layer.laid(over: root)
        }
        return (root, names)
    }

    private func content(_ text: String?) -> String? {
        guard let text, text.contains(where: { !$0.isWhitespace && $0 != "\u{FEFF}" }) else { return nil }
        return text
    }

    /// A path as it is opened: relative ones start from the working directory.
    func path(_ path: String) -> String {
        path.startsWithBytes(of: "/") ? path : workingDirectory + "/" + path
    }

    private func exists(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: path(file))
    }

    private func read(_ file: String) throws(ConfigurationError) -> SourceMapping {
        // A database's URL is easily given to the wrong option.
        guard file.hidingPasswords.hasBytes(of: file), !file.containsBytes(of: "://") else {
            throw ConfigurationError(
                .unreadableFile,
                "this is a URL and not the name of a configuration file",
                hint: "give a database's URL with --url",
                place: "--config"
            )
        }
        let parts = file.split(atByte: "/").last?.split(atByte: ".") ?? []
        guard parts.count > 1, let suffix = parts.last,
            let format = ConfigurationFormat(rawValue: suffix.lowercased())
        else {
            let formats = ConfigurationFormat.allCases.map { "." + $0.rawValue }.joined(separator: ", ")
            throw ConfigurationError(
                .unreadableFile,
                "the name of a configuration file must end in one of \(formats)",
                hint: "rename the file",
                place: file
            )
        }
        return try format.read(try Self.text(ofFile: path(file), named: file), source: file)
    }

    /// Reads a text file.
    ///
    /// - Parameters:
    ///   - path: The file to open.
    ///   - name: The file as the user named it.
    /// - Returns: All of its text.
    /// - Throws: ``ConfigurationError`` that names the file.
    static func text(ofFile path: String, named name: String) throws(ConfigurationError) -> String {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ConfigurationError(.unreadableFile, "the file does not exist", hint: "check its path", place: name)
        }
        guard !isDirectory else {
            throw ConfigurationError(
                .unreadableFile,
                "this is a folder, not a file",
                hint: "check its path",
                place: name
            )
        }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw ConfigurationError(
                .unreadableFile,
                "the file cannot be read",
                hint: "check its permissions",
                place: name
            )
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            let valid = String(decoding: data, as: UTF8.self).unicodeScalars.prefix { $0 != "\u{FFFD}" }
            let line = valid.count { $0 == "\n" } + 1
            throw ConfigurationError(
                .unreadableFile,
                "the file is not UTF-8",
                hint: "save it in that encoding",
                place: "\(name):\(line)"
            )
        }
        return text
    }
}
