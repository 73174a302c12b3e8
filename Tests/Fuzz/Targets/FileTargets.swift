import Postgres
import Storage

@testable import Databudgie

/// What the names and the small files of a backup say.
enum FileTargets {
    static func sequences(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self),
            let entries = try? SequencesFile.entries(text, path: .local("fuzz"))
        else { return }
        guard let written = try? SequencesFile.bytes(entries),
            let again = try? SequencesFile.entries(String(decoding: written, as: UTF8.self), path: .local("fuzz"))
        else { fail("what was written cannot be read") }
        let isSame = again.elementsEqual(entries) { first, second in
            first.key.hasBytes(of: second.key) && first.state.lastValue == second.state.lastValue
                && first.state.isCalled == second.state.isCalled
        }
        expect(isSame, "the values are others after they were written")
    }

    /// What a list takes out of a record is what the whole record says.
    static func record(_ bytes: [UInt8]) {
        var skimmer = RecordSkimmer(SetSummary.keys)
        let middle = bytes.count / 2
        let isObject = skimmer.read(Array(bytes[..<middle])) && skimmer.read(Array(bytes[middle...]))
        // Foundation reads other encodings and escaped keys, too.
        guard String(validating: bytes, as: UTF8.self) != nil,
            !bytes.contains(where: { [0, 0x5C, 0xEF].contains($0) }),
            let whole = try? SetRecord.decode(SetSummary.self, bytes, at: "fuzz")
        else { return }
        guard isObject, let object = skimmer.object,
            let skimmed = try? SetRecord.decode(SetSummary.self, object, at: "fuzz")
        else { fail("a record is not found in its text") }
        expect(skimmed == whole, "a list says something else than the record")
    }

    /// A name is found again in its path, leads nowhere else, and is matched by itself.
    static func names(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let name = QualifiedName(schema: parts[0], name: parts.count > 1 ? parts[1] : "")
        let component = PathComponent(name).text
        expect(!component.utf8.contains { $0 < 32 || $0 == UInt8(ascii: "/") }, "a name leads out of its folder")
        expect(component != "..", "a name is the folder above")
        guard let found = PathComponent.name(component) else { fail("a name is not found again") }
        expect(found.schema.hasBytes(of: name.schema) && found.name.hasBytes(of: name.name), "another name is found")
        _ = PathComponent.name(parts[0])

        let glob = Glob(parts[0])
        let text = parts.last ?? ""
        guard glob.description.unicodeScalars.count <= 12, text.unicodeScalars.count <= 12 else { return }
        if !glob.hasWildcards, !parts[0].utf8.contains(UInt8(ascii: "[")) {
            expect(
                glob.matches(text) == text.unicodeScalars.elementsEqual(parts[0].unicodeScalars),
                "a text is matched"
            )
        }
        expect(!glob.matches(text) || Glob("*" + parts[0] + "*").matches("x" + text + "y"), "more text is not matched")
    }
}
