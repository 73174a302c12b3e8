import FoundationEssentials

/// The profiles in `~/.aws/config` and `~/.aws/credentials`, read as the AWS tools read them.
struct ProfileFiles: Sendable {
    /// The name of the profile to use.
    let profile: String
    /// The user named this profile, so it has to exist.
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
            guard given.beginsWithBytes(of: "~/"), let home else { return given }
            return home + String(Substring(given.utf8.dropFirst()))
        }
        configPath = path("AWS_CONFIG_FILE", "config")
        credentialsPath = path("AWS_SHARED_CREDENTIALS_FILE", "credentials")
        tokenFolder = "\(home ?? "~")/.aws/sso/cache"
    }

    /// The settings of the profile; those of the credentials file win.
    /// - Throws: `StorageError` when a file cannot be read, or the profile was named and exists in neither.
    func settings() throws -> [String: String] {
        let found = try settings(of: profile)
        guard found != nil || !isExplicit else {
            throw StorageError(
                .invalidConfiguration,
                "the AWS profile \(quoting(profile)) is neither in \(configPath) nor in \(credentialsPath)",
                hint: "correct its name (s3: profile, AWS_PROFILE) or add it"
            )
        }
        return found ?? [:]
    }

    /// The settings of any profile; those of the credentials file win.
    /// - Returns: The settings, or nil when the profile is in neither file.
    /// - Throws: `StorageError` when a file cannot be read.
    func settings(of name: String) throws -> [String: String]? {
        let config = try sections(of: configPath)
        let fromConfig =
            config[ExactString("profile \(name)")] ?? (name == "default" ? config[ExactString(name)] : nil)
        let fromCredentials = try sections(of: credentialsPath)[ExactString(name)]
        guard fromConfig != nil || fromCredentials != nil else { return nil }
        return (fromConfig ?? [:]).merging(fromCredentials ?? [:]) { $1 }
    }

    /// The settings of a section that profiles refer to, as `sso-session` and `services` are.
    /// - Returns: The settings, or nil when the section does not exist.
    /// - Throws: `StorageError` when the file cannot be read.
    func section(_ kind: String, _ name: String) throws -> [String: String]? {
        try sections(of: configPath)[ExactString("\(kind) \(name)")]
    }

    private func sections(of path: String) throws -> [ExactString: [String: String]] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StorageError(
                .invalidConfiguration,
                "\(path) cannot be read",
                hint: "check the owner and the mode of the file",
                path: .local(path)
            )
        }
        return ProfileFiles.parse(String(decoding: data, as: UTF8.self))
    }

    /// Reads sections of `name = value` lines; `sts =` with an indented `endpoint_url = …` below it becomes the setting
    /// `sts.endpoint_url`.
    static func parse(_ text: String) -> [ExactString: [String: String]] {
        var sections: [ExactString: [String: String]] = [:]
        var section: ExactString?
        var parent = ""
        // Editors of Windows put a byte order mark before the first section.
        let mark = "\u{FEFF}".utf8
        let content = text.utf8.starts(with: mark) ? text.utf8.dropFirst(mark.count) : text.utf8[...]
        for line in content.split(whereSeparator: { "\r\n".utf8.contains($0) }) {
            guard let first = line.first, !"#;".utf8.contains(first) else { continue }
            if first == UInt8(ascii: "[") {
                let name = line.dropFirst().prefix { $0 != UInt8(ascii: "]") }
                let words = name.split(whereSeparator: { " \t".utf8.contains($0) }).map { $0.trimming("\"'") }
                let found = ExactString(words.joined(separator: " "))
                section = found
                parent = ""
                sections[found, default: [:]] = [:]
            } else if let section, let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                var name = line[..<equals].trimming(" \t").lowercased()
                if " \t".utf8.contains(first) { name = "\(parent).\(name)" } else { parent = name }
                let value = line[line.index(after: equals)...]
                // A comment after a value needs a space before it: secrets may hold `#`.
                let end = value.firstRange(of: " #".utf8)?.lowerBound ?? value.endIndex
                sections[section]?[name] = value[..<end].trimming(" \t")
            }
        }
        return sections
    }
}

extension Substring.UTF8View {
    /// The string without some ASCII bytes at both ends.
    fileprivate func trimming(_ bytes: String) -> String {
        var rest = self
        while let first = rest.first, bytes.utf8.contains(first) { rest.removeFirst() }
        while let last = rest.last, bytes.utf8.contains(last) { rest.removeLast() }
        return String(Substring(rest))
    }
}
