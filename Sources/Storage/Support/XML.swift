import XML

/// A document that a server sends.
protocol XMLDocument {
    /// The name of its outermost element.
    static var root: String { get }

    /// Takes what is needed.
    /// - Throws: `XMLError` when something of it is missing, or is not what it should be.
    init(_ element: XMLElement) throws(XMLError)
}

extension XMLDocument {
    /// Reads the document.
    /// - Throws: `XMLError` when it is something else, such as the HTML of a proxy.
    init(_ bytes: [UInt8]) throws(XMLError) {
        let element = try XMLElement(parsing: bytes)
        guard element.isNamed(Self.root) else { throw XMLError(message: "its root is \(quoting(element.name))") }
        try self.init(element)
    }
}

/// Values of the elements in one. Texts are as they are, because keys may begin and end with spaces.
extension XMLElement {
    func required(_ name: String) throws(XMLError) -> String {
        guard let child = self[name] else { throw XMLError(message: "\(self.name) has no \(name)") }
        return child.text
    }

    /// All children of a name, each read as what it is.
    func list<Item>(
        _ name: String,
        of read: (XMLElement) throws(XMLError) -> Item
    ) throws(XMLError) -> [Item] {
        var items: [Item] = []
        for child in all(name) { items.append(try read(child)) }
        return items
    }

    func number(_ name: String) throws(XMLError) -> Int64 {
        let text = trimmed(try required(name))
        guard let number = Int64(text) else { throw XMLError(message: "\(name) is \(quoting(text)), and no number") }
        return number
    }

    /// An `xs:boolean` of XML Schema, which is false when it is missing.
    func flag(_ name: String) throws(XMLError) -> Bool {
        guard let text = self[name].map({ trimmed($0.text) }) else { return false }
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default: throw XMLError(message: "\(name) is \(quoting(text)), and neither true nor false")
        }
    }

    /// Text for people, or a name, without white space around it.
    func words(_ name: String) -> String? {
        self[name].map { trimmed($0.text) }
    }

    private func trimmed(_ text: String) -> String {
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !Self.isSpace($0) }),
            let last = bytes.lastIndex(where: { !Self.isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }

    /// XML 1.0, 2.3 (`S`).
    private static func isSpace(_ byte: UInt8) -> Bool {
        " \t\r\n".utf8.contains(byte)
    }
}
