/// A key of the configuration, as it is in the one table of all keys.
///
/// What the parser knows, the JSON Schema and the tables of the guide are made from it, and what `config` prints is compared
/// with it by a test.
struct ConfigurationKey: Sendable {
    /// Where a key may be.
    enum Home: Sendable, Hashable {
        /// At the root alone.
        case root
        /// At the root, in `backup` and in `restore`: what is shown and reported of a run.
        case reporting
        /// In `backup`, in `restore`, and at the root for both.
        case run
        /// In `backup` or `restore` alone, and at the root.
        case command(RunKind)
        /// In an entry of `tables`, and at all levels above it.
        case table
        /// In a mapping that is the value of another key.
        case inside(ConfigurationLevel)
    }

    /// What counts when a key is missing.
    enum Standard: Sendable {
        /// This value, as YAML has it.
        case value(String)
        /// What these words say, in Markdown.
        case words(String)
    }

    /// The name.
    let name: String
    /// What its value can be.
    let form: KeyForm
    /// What counts when it is missing; nil: nothing does.
    let standard: Standard?
    /// Where it may be.
    let home: Home
    /// The only command for which an entry's key has a meaning; nil: it has one for both.
    let kind: RunKind?
    /// The key that it is another name of.
    let original: String?
    /// `config` prints it under this name, rather than what it comes to.
    let isPrinted: Bool
    /// What it is for, in a part of a sentence, in Markdown with links as the guide has them.
    let text: String

    /// Describes a key, without its home.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - form: What its value can be.
    ///   - standard: What counts when it is missing.
    ///   - kind: The only command for which an entry's key has a meaning.
    ///   - original: The key that it is another name of.
    ///   - isPrinted: `config` prints it.
    ///   - text: What it is for, in lower case and without a full stop.
    init(
        _ name: String,
        _ form: KeyForm,
        default standard: Standard? = .value("null"),
        for kind: RunKind? = nil,
        alias original: String? = nil,
        isPrinted: Bool = true,
        _ text: String
    ) {
        self.init(name, form, standard, kind, original, isPrinted && original == nil, text, at: .root)
    }

    private init(
        _ name: String,
        _ form: KeyForm,
        _ standard: Standard?,
        _ kind: RunKind?,
        _ original: String?,
        _ isPrinted: Bool,
        _ text: String,
        at home: Home
    ) {
        (self.name, self.form, self.standard, self.home) = (name, form, standard, home)
        (self.kind, self.original, self.isPrinted, self.text) = (kind, original, isPrinted, text)
    }

    /// The same key in its home.
    func at(_ home: Home) -> ConfigurationKey {
        ConfigurationKey(name, form, standard, kind, original, isPrinted, text, at: home)
    }

    /// Whether the key may be in a mapping: a level that is more general than its own counts as well.
    func isAllowed(in level: ConfigurationLevel) -> Bool {
        switch (home, level) {
        case (.inside(let own), _): own == level
        case (_, .root): true
        case (.reporting, .command), (.run, .command), (.table, .command), (.table, .table): true
        case (.command(let kind), .command(let other)): kind == other
        default: false
        }
    }
}

extension [ConfigurationKey] {
    func at(_ home: ConfigurationKey.Home) -> [ConfigurationKey] { map { $0.at(home) } }
}

extension ConfigurationKey {
    /// The table: every key once for each of its homes, in the order in which a reader meets them.
    static let all: [ConfigurationKey] =
        ofRoot.at(.root) + ofReporting.at(.reporting) + ofRuns.at(.run) + ofBackups.at(.command(.backup))
        + ofRestores.at(.command(.restore)) + ofTables.at(.table) + ofParts

    private static let ofParts: [ConfigurationKey] = parts.flatMap { level, keys in keys.at(.inside(level)) }

    /// The mappings that are values of keys, with their own keys.
    static let parts: [(level: ConfigurationLevel, keys: [ConfigurationKey])] = [
        (.logging, ofLogging), (.sentry, ofSentry), (.connection, ofConnections), (.s3, ofS3), (.ddl, ofDefinitions),
        (.retention, ofRetention), (.rename, ofRenaming), (.subset, ofSubsets), (.subsetStart, ofSubsetStarts),
        (.subsetReference, ofSubsetReferences), (.masking, ofMasking), (.mask, ofMasks), (.redact, ofRedact),
        (.notify, ofNotifications),
    ]

    /// The keys of each level.
    private static let byLevel: [ConfigurationLevel: [ConfigurationKey]] = Dictionary(
        uniqueKeysWithValues: ConfigurationLevel.all.map { level in (level, all.filter { $0.isAllowed(in: level) }) }
    )

    private static let namesByLevel = byLevel.mapValues { keys in Set(keys.map { ByteKey($0.name) }) }

    /// The keys that a mapping may have.
    static func keys(in level: ConfigurationLevel) -> [ConfigurationKey] { byLevel[level, default: []] }

    /// Whether a mapping may have a key.
    static func isKnown(_ name: String, in level: ConfigurationLevel) -> Bool {
        namesByLevel[level, default: []].contains(ByteKey(name))
    }

    /// Where a key belongs that may be at the root; nil when there is none of that name.
    static func home(of name: String) -> Home? {
        keys(in: .root).first { $0.name.hasBytes(of: name) }?.home
    }
}
