import CExpat

extension XMLElement {
    /// More than any reply of a server needs; deeper ones would exhaust the stack when they are released.
    private static let depthLimit = 100

    /// Reads a document.
    ///
    /// - Parameter bytes: The document in UTF-8, whatever encoding it names.
    /// - Throws: ``XMLError`` when it is not well-formed, is not UTF-8, is nested more than 100 deep, or brings a document type
    ///   definition, which no reply of a server has and which can make a short document a large one.
    public init(parsing bytes: [UInt8]) throws(XMLError) {
        guard let parser = unsafe XML_ParserCreate("UTF-8") else {
            throw XMLError(message: "there is no memory for its parser")
        }
        defer { unsafe XML_ParserFree(parser) }
        let builder = Builder()
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
        unsafe XML_SetElementHandler(
            parser,
            { context, name, _ in unsafe name.map { unsafe Builder.of(context)?.begin(String(cString: $0)) } },
            { context, _ in unsafe Builder.of(context)?.end() }
        )
        unsafe XML_SetCharacterDataHandler(parser) { context, start, count in
            unsafe Builder.of(context)?.add(UnsafeRawBufferPointer(start: start, count: Int(count)))
        }
        unsafe XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
            unsafe Builder.of(context)?.problem = "it has a document type definition"
        }
        // In pieces, because a length is a C int, and so that what is refused is not read to its end.
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(1 << 20)
            rest = rest.dropFirst(piece.count)
            let status = unsafe piece.withUnsafeBytes { buffer in
                unsafe XML_Parse(
                    parser,
                    buffer.bindMemory(to: CChar.self).baseAddress,
                    CInt(buffer.count),
                    rest.isEmpty ? 1 : 0
                )
            }
            if let problem = builder.problem { throw XMLError(message: problem) }
            guard status == XML_STATUS_OK else {
                let reason = unsafe XML_ErrorString(XML_GetErrorCode(parser)).map { unsafe String(cString: $0) }
                let line = unsafe XML_GetCurrentLineNumber(parser)
                throw XMLError(message: "\(reason ?? "it is not well-formed") in line \(line)")
            }
        } while !rest.isEmpty
        guard let root = builder.root else { throw XMLError(message: "it has no element") }
        self = root
    }

    /// Puts elements together as the parser finds their beginnings and ends.
    private final class Builder {
        /// The elements that have begun, with their texts in bytes, which may come in the middle of a character.
        private var open: [(element: XMLElement, text: [UInt8])] = []
        private(set) var root: XMLElement?
        var problem: String?

        static func of(_ context: UnsafeMutableRawPointer?) -> Builder? {
            unsafe context.map { unsafe Unmanaged<Builder>.fromOpaque($0).takeUnretainedValue() }
        }

        func begin(_ name: String) {
            if open.count == XMLElement.depthLimit { problem = problem ?? "it is nested too deeply" }
            guard problem == nil else { return }
            open.append((XMLElement(name), []))
        }

        func add(_ bytes: UnsafeRawBufferPointer) {
            guard problem == nil, let last = open.indices.last else { return }
            unsafe open[last].text.append(contentsOf: bytes)
        }

        func end() {
            guard problem == nil, let last = open.popLast() else { return }
            var element = last.element
            element.text = String(decoding: last.text, as: UTF8.self)
            if let parent = open.indices.last {
                open[parent].element.children.append(element)
            } else {
                root = element
            }
        }
    }
}

/// Why bytes are no XML document that can be used.
public struct XMLError: Error, CustomStringConvertible {
    /// What is wrong, with the line if it is a place.
    public let message: String

    /// Describes what is wrong.
    ///
    /// - Parameter message: Without a full stop.
    public init(message: String) {
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
