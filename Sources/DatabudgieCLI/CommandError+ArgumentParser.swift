import Databudgie

extension CommandError {
    /// What ArgumentParser says about a command line, in the form of our own errors.
    ///
    /// Its messages are sentences in which advice follows after a full stop. Arguments in them are hidden as far as they
    /// may hold a password: one that was put in the wrong place is repeated in the message.
    ///
    /// - Parameter message: ArgumentParser's message.
    init(parserMessage message: String) {
        let seeHelp = "see 'databudgie --help'"
        var (problem, advice) = (Substring(message), Substring())
        for beginning in [". Please provide", ". Did you mean"] {
            guard let range = message.lastRange(ofBytes: beginning) else { continue }
            problem = message[..<range.lowerBound]
            advice = message[message.utf8.index(range.lowerBound, offsetBy: 2)...]
        }
        var hint = advice.droppingBytes(of: "Please ").lowercasingFirst
        hint.removeFinalFullStop()
        switch hint.utf8.last {
        case nil: hint = seeHelp
        case UInt8(ascii: "?"): hint += " See" + seeHelp.dropFirst(3)
        default: hint += "; " + seeHelp
        }
        var text = problem.lowercasingFirst
        text.removeFinalFullStop()
        self.init(.usage, text.hidingPasswords, hint: hint.hidingPasswords)
    }
}

extension String {
    /// The text without what a URL has before its `@`, and without what follows `password=`.
    ///
    /// Nothing tells where a password ends, which may hold quotes, slashes and spaces: more is hidden rather than less.
    var hidingPasswords: String {
        var text = self
        if let scheme = text.firstRange(ofBytes: "://"), let at = text.lastRange(ofBytes: "@"),
            scheme.upperBound <= at.lowerBound
        {
            text = text[..<scheme.upperBound] + "***" + text[at.lowerBound...]
        }
        if let password = text.firstRange(ofBytes: "password=") {
            text = text[..<password.upperBound] + "***"
        }
        return text
    }

    fileprivate mutating func removeFinalFullStop() {
        if utf8.last == UInt8(ascii: ".") { self = String(self[..<utf8.index(before: endIndex)]) }
    }

    fileprivate func firstRange(ofBytes text: String) -> Range<Index>? {
        utf8.indices.lazy.compactMap { self.range(ofBytes: text, at: $0) }.first
    }

    fileprivate func lastRange(ofBytes text: String) -> Range<Index>? {
        utf8.indices.reversed().lazy.compactMap { self.range(ofBytes: text, at: $0) }.first
    }

    private func range(ofBytes text: String, at start: Index) -> Range<Index>? {
        guard utf8[start...].starts(with: text.utf8) else { return nil }
        return start..<utf8.index(start, offsetBy: text.utf8.count)
    }
}

extension Substring {
    fileprivate func droppingBytes(of beginning: String) -> Substring {
        utf8.starts(with: beginning.utf8) ? self[utf8.index(startIndex, offsetBy: beginning.utf8.count)...] : self
    }

    /// The text with a small first letter, as the errors of all modules begin.
    fileprivate var lowercasingFirst: String {
        guard let first = unicodeScalars.first, first.isASCII else { return String(self) }
        return first.properties.lowercaseMapping
            + unicodeScalars.dropFirst().reduce(into: "") {
                $0.unicodeScalars.append($1)
            }
    }
}
