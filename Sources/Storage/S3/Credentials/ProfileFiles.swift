import FoundationEssentials

/// The profiles in `~/.aws/config` and `~/.aws/credentials`, read as the AWS tools read them.
struct ProfileFiles: Sendable {
    /// The name of the profile to use.
    let profile: String
    /// The user asked for this profile by name, so it has to exist.
    let isExplicit: Bool
    let configPath: String
    let credentialsPath: String
    /// Where `aws sso login` keeps its tokens.
    let tokenFolder: String

    init(options: S3Options, environment: [String: String]) {
        let named =
            options.profile?.nonEmpty ?? environment["AWS_PROFILE"]?.nonEmpty
            ?? environment["AWS_DEFAULT_PROFILE"]?.nonEmpty
        profile = named ?? "default"
        isExplicit = named != nil
        let home = environment["HOME"]?.nonEmpty
        func path(_ variable: String, _ name: String) -> String {
            guard let given = environment[variable]?.nonEmpty else { return "\(home ?? "~")/.aws/\(name)" }
            guard given.hasPrefix("~/"), let home else { return given }
            return home + given.dropFirst(1)
        }
        configPath = path("AWS_CONFIG_FILE", "config")
        credentialsPath = path("AWS_SHARED_CREDENTIALS_FILE", "credentials")
        tokenFolder = "\(home ?? "~")/.aws/sso/cache"
    }

    /// The settings of the profile; those of the credentials file win.
    /// - Throws: `StorageError` when a file cannot be read, or the profile was asked for and exists in neither.
    func settings() throws -> [String: String] {
        let found = try settings(of: profile)
        guard found != nil || !isExplicit else {
            throw StorageError(
                .invalidConfiguration,
                "The AWS profile \(quoting(profile)) is neither in \(configPath) nor in \(credentialsPath): "
                    + "correct its name (s3: profile, AWS_PROFILE) or add it."
            )
        }
        return found ?? [:]
    }

    /// The settings of any profile; those of the credentials file win.
    /// - Returns: The settings, or nil when the profile is in neither file.
    /// - Throws: `StorageError` when a file cannot be read.
    func settings(of name: String) throws -> [String: String]? {
        let config = try sections(of: configPath)
        let fromConfig = config["profile \(name)"] ?? (name == "default" ? config["default"] : nil)
        let fromCredentials = try sections(of: credentialsPath)[name]
        guard fromConfig != nil || fromCredentials != nil else { return nil }
        return (fromConfig ?? [:]).merging(fromCredentials ?? [:]) { $1 }
    }

    /// The settings of a section that profiles refer to, as `sso-session` and `services` are.
    /// - Returns: The settings, or nil when there is no such section.
    /// - Throws: `StorageError` when the file cannot be read.
    func section(_ kind: String, _ name: String) throws -> [String: String]? {
        try sections(of: configPath)["\(kind) \(name)"]
    }

    private func sections(of path: String) throws -> [String: [String: String]] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StorageError(
                .invalidConfiguration,
                "\(path) cannot be read: check the owner and the mode of the file.",
                path: .local(path)
            )
        }
        return ProfileFiles.parse(String(decoding: data, as: UTF8.self))
    }

    /// Reads sections of `name = value` lines; `sts =` with an indented `endpoint_url = …` below it becomes the setting
    /// `sts.endpoint_url`.
    static func parse(_ text: String) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var section: String?
        var parent = ""
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, first != "#", first != ";" else { continue }
            if first == "[" {
                let name = line.dropFirst().prefix { $0 != "]" }
                let words = name.split(whereSeparator: \.isWhitespace).map { $0.trimming(["\"", "'"]) }
                section = words.joined(separator: " ")
                parent = ""
                sections[words.joined(separator: " "), default: [:]] = [:]
            } else if let section, let equals = line.firstIndex(of: "=") {
                var name = line[..<equals].trimming([" ", "\t"]).lowercased()
                if first.isWhitespace { name = "\(parent).\(name)" } else { parent = name }
                // A comment after a value needs a space before it: secrets may hold `#`.
                let value = line[line.index(after: equals)...].split(separator: " #", maxSplits: 1).first ?? ""
                sections[section]?[name] = value.trimming([" ", "\t"])
            }
        }
        return sections
    }
}

extension StringProtocol {
    fileprivate func trimming(_ characters: Set<Character>) -> String {
        var rest = self[...]
        while let first = rest.first, characters.contains(first) { rest.removeFirst() }
        while let last = rest.last, characters.contains(last) { rest.removeLast() }
        return String(rest)
    }
}
