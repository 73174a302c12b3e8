/// What the value of a key can be: in the words of the guide, and as alternatives of a JSON Schema.
///
/// The schema takes what the parser takes, short forms and values from outside included, and refuses what it is sure of: another
/// type, another word, a number out of range.
struct KeyForm: Sendable {
    /// The column *type* of the guide, in Markdown.
    let words: String
    /// Schemas, one of which holds for the value.
    let alternatives: [SchemaNode]

    /// Describes a form.
    ///
    /// - Parameters:
    ///   - words: The column *type* of the guide.
    ///   - alternatives: Schemas, one of which holds for the value.
    init(_ words: String, _ alternatives: [SchemaNode]) {
        (self.words, self.alternatives) = (words, alternatives)
    }

    /// The same with other words.
    func named(_ words: String) -> KeyForm { KeyForm(words, alternatives) }

    /// One schema for all alternatives.
    var schema: SchemaNode { alternatives.count == 1 ? alternatives[0] : ["anyOf": .list(alternatives)] }

    /// A string that stands for any value: `<% ENV[NAME] %>` or `{ref.…}`.
    static let outside: SchemaNode = ["$ref": "#/definitions/outside"]

    private static func typed(_ types: SchemaNode...) -> SchemaNode { ["type": .list(types)] }
}

// MARK: Scalars

extension KeyForm {
    /// A string; a number counts as one.
    static let text = KeyForm("string", [typed("string", "number", "null")])
    /// A string that cannot be a number: SQL, a name with a dot, a URL.
    static let string = KeyForm("string", [typed("string", "null")])
    /// A string, whatever it looks like: a password may be `true`.
    static let secret = KeyForm("string", [typed("string", "number", "boolean", "null")])
    /// SQL, which may look like a number or a boolean, and is never missing.
    static let sql = KeyForm("string", [typed("string", "number", "boolean")])
    static let template = string.named("template")
    static let bool = KeyForm("true or false", [typed("boolean", "null"), ["enum": [0, 1]], booleanWord])
    static let seconds = KeyForm(
        "seconds",
        [
            ["type": ["number", "null"], "minimum": 0, "maximum": .number(Int(Int32.max) / 1_000)],
            ["type": "string", "pattern": #"^[0-9_]*\.?[0-9]+$"#], outside,
        ]
    )

    /// The words for true and false in any case, where they are strings.
    private static let booleanWord: SchemaNode = ["$ref": "#/definitions/booleanWord"]

    /// True, false or one of some words.
    static func bool(or words: String...) -> KeyForm {
        KeyForm("true, false, \(code(words))", [["enum": .list(words.map { .text($0) })]] + bool.alternatives)
    }

    /// A whole number.
    static func number(from least: Int, to most: Int? = nil, _ words: String) -> KeyForm {
        var range: [(String, SchemaNode)] = [("type", ["integer", "null"]), ("minimum", .number(least))]
        if let most { range.append(("maximum", .number(most))) }
        return KeyForm(words, [.object(range), digits, outside])
    }

    private static let digits: SchemaNode = ["type": "string", "pattern": "^[0-9][0-9_]*$"]

    /// One of the words of a type.
    static func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> KeyForm
    where Choice.RawValue == String {
        choice(type.allCases.map(\.rawValue))
    }

    /// One of some words.
    ///
    /// - Parameters:
    ///   - words: The words.
    ///   - hidden: What is accepted and not recommended.
    ///   - pattern: A regular expression for more that is accepted.
    /// - Returns: The form.
    static func choice(_ words: [String], hidden: [SchemaNode] = [], pattern: String? = nil) -> KeyForm {
        let values: [SchemaNode] = words.map { .text($0) } + [.null] + hidden
        let others: [SchemaNode] = pattern.map { [["type": "string", "pattern": .text($0)]] } ?? []
        return KeyForm(code(words), [["enum": .list(values)]] + others + [outside])
    }

    /// A string that has a form.
    static func text(_ words: String, pattern: String) -> KeyForm {
        KeyForm(words, [typed("null"), ["type": "string", "pattern": .text(pattern)], outside])
    }

    /// A regular expression for a word in any case.
    static func anyCase(_ word: String) -> String {
        word.map { $0.isLetter ? "[\($0.uppercased())\($0.lowercased())]" : String($0) }.joined()
    }

    private static func code(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: ", ") }
}

// MARK: Lists and mappings

extension KeyForm {
    /// A list of strings.
    static let texts = list(of: typed("string", "number"), "list")

    /// A list.
    static func list(of element: SchemaNode, _ words: String) -> KeyForm {
        KeyForm(words, [["type": ["array", "null"], "items": element], outside])
    }

    /// A mapping with keys of its own.
    static func mapping(_ level: ConfigurationLevel) -> KeyForm {
        KeyForm("mapping", [typed("null"), part(level), outside])
    }

    /// A mapping from names to values of one form.
    static func map(to value: SchemaNode) -> KeyForm {
        KeyForm("mapping", [["type": ["object", "null"], "additionalProperties": value], outside])
    }

    /// A mapping from names, among which those that begin with `x-` are notes, to values of one form.
    static func map(to value: SchemaNode, notes: SchemaNode) -> KeyForm {
        KeyForm(
            "mapping",
            [
                ["type": ["object", "null"], "patternProperties": [note: notes], "additionalProperties": value],
                outside,
            ]
        )
    }

    /// The names of notes among names of tables and columns.
    private static let note = "^x-[^.]*$"

    /// A value, or a list of such values.
    static func oneOrMore(_ alternatives: SchemaNode...) -> SchemaNode {
        let one: SchemaNode = ["anyOf": .list(alternatives)]
        return ["anyOf": .list(alternatives + [["type": "array", "items": one]])]
    }

    /// The keys of a level.
    static func part(_ level: ConfigurationLevel) -> SchemaNode { ["$ref": .text("#/definitions/\(level.name)")] }
}
