/// A value as it was written, with its place; nothing after the configuration's validation reads one.
struct SourceValue: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case scalar(SourceScalar)
        case list([SourceValue])
        case mapping(SourceMapping)
    }

    var content: Content
    var place: SourcePlace

    init(_ content: Content, at place: SourcePlace) {
        self.content = content
        self.place = place
    }

    init(_ scalar: SourceScalar, at place: SourcePlace) {
        self.init(.scalar(scalar), at: place)
    }

    /// A quoted string.
    init(text: String, at place: SourcePlace) {
        self.init(SourceScalar(.string, text), at: place)
    }

    static func bool(_ value: Bool, at place: SourcePlace) -> SourceValue {
        SourceValue(SourceScalar(.bool, value ? "true" : "false"), at: place)
    }

    var scalar: SourceScalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    var mapping: SourceMapping? {
        if case .mapping(let mapping) = content { mapping } else { nil }
    }

    var list: [SourceValue]? {
        if case .list(let list) = content { list } else { nil }
    }

    /// Null, or an empty environment variable.
    var isNull: Bool {
        guard let scalar else { return false }
        return scalar.kind == .null || (scalar.kind == .untyped && scalar.text.isEmpty)
    }

    /// What it is, for messages.
    var noun: String {
        switch content {
        case .list: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): scalar.kind.noun
        }
    }
}
