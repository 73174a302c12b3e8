/// An element of an XML document: its name, its own text and the elements in it, without its attributes.
public struct XMLElement: Sendable {
    /// As the document writes it, with its prefix if it has one.
    public let name: String
    /// The element's own character data, without that of the elements in it; references are replaced.
    public internal(set) var text: String
    /// The elements in it, in their order.
    public internal(set) var children: [XMLElement]

    /// An element with text.
    public init(_ name: String, text: String) {
        (self.name, self.text, children) = (name, text, [])
    }

    /// An element with others in it.
    public init(_ name: String, _ children: [XMLElement] = []) {
        (self.name, text, self.children) = (name, "", children)
    }

    /// The first child of that name.
    public subscript(_ name: String) -> XMLElement? {
        children.first { $0.isNamed(name) }
    }

    /// All children of that name, in their order.
    public func all(_ name: String) -> [XMLElement] {
        children.filter { $0.isNamed(name) }
    }

    /// Compares bytes: to `String` other code points may be the same name.
    public func isNamed(_ name: String) -> Bool {
        self.name.utf8.elementsEqual(name.utf8)
    }
}

extension XMLElement {
    /// The element as a document in UTF-8, without white space between elements.
    ///
    /// What XML cannot carry (control characters, U+FFFE, U+FFFF) must not be in the texts; a carriage return, which parsers
    /// would make a line feed, is written as a reference (XML 1.0, 2.2 and 2.11).
    public var document: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        bytes += "<\(name)>".utf8
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "\r"): bytes += "&#13;".utf8
            default: bytes.append(byte)
            }
        }
        for child in children { child.write(to: &bytes) }
        bytes += "</\(name)>".utf8
    }
}
