import ArgumentParser
import Databudgie

extension CommandError {
    /// What ArgumentParser says about a command line, in the form of our own errors.
    ///
    /// Its messages are sentences in which advice follows after a full stop. Arguments in them are hidden as far as they
    /// may hold a password: one that was put in the wrong place is repeated in the message.
    ///
    /// - Parameters:
    ///   - message: ArgumentParser's message.
    ///   - arguments: The command line.
    init(parserMessage message: String, of arguments: [String]) {
        let seeHelp = "see 'databudgie --help'"
        // The parser lists all that a word could have meant; the first one is what was written.
        let message = message.firstRange(ofBytes: "\n   or: ").map { String(message[..<$0.lowerBound]) } ?? message
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
        if let nearest = Self.subcommand(meantIn: message, of: arguments) {
            hint = "did you mean '\(nearest)'? See" + seeHelp.dropFirst(3)
        }
        var text = problem.lowercasingFirst
        text.removeFinalFullStop()
        self.init(.usage, text.hidingPasswords(of: arguments), hint: hint.hidingPasswords(of: arguments))
    }
}

extension CommandError {
    /// The subcommand that was probably meant by an argument that the parser does not expect.
    private static func subcommand(meantIn message: String, of arguments: [String]) -> String? {
        let unexpected = arguments.indices.first { place in
            let rest = arguments[place...]
            let list = rest.map { "'\($0)'" }.joined(separator: ", ")
            return message.utf8.elementsEqual("Unexpected argument '\(arguments[place])'".utf8)
                || message.utf8.elementsEqual("\(rest.count) unexpected arguments: \(list)".utf8)
        }
        guard let unexpected else { return nil }
        var command: any ParsableCommand.Type = DatabudgieCommand.self
        var place = ""
        for argument in arguments[..<unexpected] {
            guard let found = command.subcommand(named: argument) else { continue }
            command = found
            place += argument + " "
        }
        let names = command.configuration.subcommands.compactMap { $0.configuration.commandName }
        // What follows a subcommand that has none of its own is anything but the name of one.
        guard !names.isEmpty, !arguments[unexpected...].contains(where: names.contains) else { return nil }
        let synonym = place.isEmpty ? synonyms[arguments[unexpected]] : nil
        let meant = synonym ?? KeySuggestion.nearest(to: arguments[unexpected], among: names)
        return meant.map { place + $0 }
    }

    /// What other tools call it.
    private static let synonyms = [
        "dump": "backup", "export": "backup", "save": "backup", "import": "restore", "load": "restore", "ls": "list",
        "snapshots": "list", "diff": "compare", "forget": "prune", "completions": "completion",
    ]
}

extension ParsableCommand {
    /// The subcommand that has a name; nil when there is none.
    static func subcommand(named name: String) -> (any ParsableCommand.Type)? {
        configuration.subcommands.first { $0.configuration.commandName == name }
    }
}

extension String {
    /// The text of a message without the arguments in it that may hold a password, whatever signs are in that.
    ///
    /// - Parameter arguments: The command line, of which the message may repeat a part.
    /// - Returns: The message with `***` in it.
    fileprivate func hidingPasswords(of arguments: [String]) -> String {
        let values = arguments.flatMap { argument -> [String] in
            // `--url=value` and `-uvalue` are repeated as a whole, or their values alone.
            let parts = argument.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1).map { String(Substring($0)) }
            return [argument] + parts.dropFirst() + [String(argument.unicodeScalars.dropFirst(2))]
        }
        var text = self
        for value in values.sorted(by: { $0.utf8.count > $1.utf8.count }) {
            let isHarmless = value.utf8.allSatisfy { !":@=".utf8.contains($0) }
            guard !isHarmless, let range = text.firstRange(ofBytes: value) else { continue }
            let hidden = value.hidingPasswords
            text.replaceSubrange(range, with: hidden.utf8.elementsEqual(value.utf8) ? "***" : hidden)
        }
        return text.hidingPasswords
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
