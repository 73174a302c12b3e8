import Postgres

/// Pieces of SQL that mean the same whatever search path is in force: functions, operators and types have their schema.
enum MaskSQL {
    /// A call of a function of the server's.
    static func call(_ function: String, _ arguments: String...) -> String {
        "pg_catalog.\(function)(\(arguments.joined(separator: ", ")))"
    }

    /// A binary operator of the server's, in parentheses.
    static func binary(_ left: String, _ symbol: String, _ right: String) -> String {
        "(\(left) operator(pg_catalog.\(symbol)) \(right))"
    }

    /// A cast to a type of the server's, in parentheses; the name may have a modifier.
    static func cast(_ value: String, _ type: String) -> String {
        "(\(value))::pg_catalog.\(type)"
    }

    /// Several strings or byte strings in a row.
    static func joined(_ values: String...) -> String {
        values.dropFirst().reduce(values[0]) { binary($0, "||", $1) }
    }

    /// A comparison of texts by their bytes.
    static func compare(_ text: String, _ symbol: String, _ literal: String) -> String {
        "((\(text)) collate pg_catalog.\"C\" operator(pg_catalog.\(symbol)) \(literal))"
    }

    /// Strings as an array.
    static func textArray(_ texts: [String]) -> String {
        "array[\(texts.map(quotedLiteral).joined(separator: ", "))]::pg_catalog.text[]"
    }

    /// NULL where a value is NULL.
    static func keepingNull(_ value: String, _ expression: String) -> String {
        "case when \(value) is null then null else \(expression) end"
    }

    /// Strings as an array's text, for a literal.
    static func arrayText(_ texts: some Sequence<String>) -> String {
        "{"
            + texts.map { "\"" + escaped($0, for: [UInt8(ascii: "\""), UInt8(ascii: "\\")]) + "\"" }
            .joined(separator: ",") + "}"
    }

    private static func escaped(_ text: String, for bytes: Set<UInt8>) -> String {
        String(decoding: text.utf8.flatMap { bytes.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }, as: UTF8.self)
    }
}
