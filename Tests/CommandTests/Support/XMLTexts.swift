import Foundation
import FoundationXML

/// The texts and the names of the elements of an XML document.
final class XMLTexts: NSObject, XMLParserDelegate {
    /// Each element's own text, in the order in which elements end.
    private(set) var texts: [String] = []
    /// The names of all elements.
    private(set) var elements: Set<String> = []
    private let parser: XMLParser
    private var open: [String] = []

    init(_ data: Data) {
        parser = XMLParser(data: data)
        super.init()
        parser.delegate = self
    }

    /// Reads the document.
    ///
    /// - Throws: What is wrong with it.
    func parse() throws -> [String] {
        guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
        return texts
    }

    func parser(
        _: XMLParser,
        didStartElement name: String,
        namespaceURI _: String?,
        qualifiedName _: String?,
        attributes _: [String: String]
    ) {
        elements.insert(name)
        open.append("")
    }

    func parser(_: XMLParser, foundCharacters text: String) {
        if let last = open.indices.last { open[last] += text }
    }

    func parser(_: XMLParser, didEndElement _: String, namespaceURI _: String?, qualifiedName _: String?) {
        if let text = open.popLast() { texts.append(text) }
    }
}
