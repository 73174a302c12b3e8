import Foundation

@testable import Databudgie

/// The readers of configurations.
enum ConfigurationTargets {
    /// What is accepted is JSON for Foundation too, and what is refused is not, but for duplicates, depth and surrogates.
    static func json(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        let standard = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        do {
            let value = try JSONReader.read(text, source: "fuzz")
            // Foundation gives up on more digits than a number of its own has.
            guard let standard else {
                return expect(text.utf8.contains { (0x30...0x39).contains($0) }, "bad JSON is read")
            }
            expect(isEqual(value, standard), "JSON is read as something else")
        } catch {
            // Foundation lets a comma pass before a closing bracket.
            guard standard != nil, !bytes.contains(0), !text.contains(/,\s*[\]}]/) else { return }
            let reasons = ["twice", "nested", "surrogate", "duplicate", "escape"]
            expect(reasons.contains { "\(error)".contains($0) }, "good JSON is refused: \(error)")
        }
    }

    private static func isEqual(_ value: SourceValue, _ standard: Any) -> Bool {
        switch value.content {
        case .mapping(let mapping):
            guard let standard = standard as? [String: Any], standard.count <= mapping.entries.count else {
                return false
            }
            return mapping.entries.allSatisfy { entry in
                // Foundation takes two spellings of a letter for one key.
                standard[entry.key].map { isEqual(entry.value, $0) || standard.count < mapping.entries.count } ?? false
            }
        case .list(let list):
            guard let standard = standard as? [Any], standard.count == list.count else { return false }
            return zip(list, standard).allSatisfy { isEqual($0, $1) }
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: return standard is NSNull
            case .bool: return (standard as? Bool).map { $0 == (scalar.text == "true") } ?? false
            case .number: return standard is NSNumber
            default: return (standard as? String).map { $0.hasBytes(of: scalar.text) } ?? false
            }
        }
    }

    static func yaml(_ bytes: [UInt8]) {
        _ = try? ConfigurationFormat.yaml.read(String(decoding: bytes, as: UTF8.self), source: "fuzz")
    }

    static func toml(_ bytes: [UInt8]) {
        _ = try? ConfigurationFormat.toml.read(String(decoding: bytes, as: UTF8.self), source: "fuzz")
    }

    /// Scalars, interpolations and references, in every format.
    static func scalar(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        // No file is read.
        guard !text.containsBytes(of: "FILE") else { return }
        var sources = ConfigurationSources(environment: [
            "A": "value", "B": "{ref.x}", "C": "<% ENV[A] %>", "": "empty",
        ])
        sources.looksForDefaultFiles = false
        for format in ConfigurationFormat.allCases {
            let place = SourcePlace("fuzz", line: 1, format: format)
            _ = ScalarLiteral.read(text, at: place)
            _ = ScalarLiteral.plainYAML(text)
            var written = InterpolatedText()
            written.append(written: text)
            if let parts = try? Reference.parts(of: written, at: place) {
                let joined = parts.map { part in
                    switch part {
                    case .text(let text): text
                    case .reference(let reference): reference.text
                    }
                }.joined()
                expect(joined.hasBytes(of: text), "the parts of a text are not the text")
            }
            guard let finished = try? Interpolation(sources: sources).insert(into: text, at: place) else { continue }
            if !text.containsBytes(of: "<%") {
                expect(finished.text.hasBytes(of: text), "a text without interpolation is changed")
            }
            _ = finished.value(at: place)
            _ = try? Reference.parts(of: finished, at: place)
        }
    }

    /// All of a configuration: layers, references, validation and how it is printed.
    static func configuration(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.containsBytes(of: "FILE") else { return }
        guard let configuration = try? Configuration.load(yaml: text, environment: ["A": "value"]) else { return }
        let printed = ConfigurationPrinter().yaml(configuration)
        expect((try? ConfigurationFormat.yaml.read(printed, source: "printed")) != nil, "what is printed is not YAML")
    }

    /// A path that a template gives is one that it matches.
    static func template(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let text = String(decoding: lines[0], as: UTF8.self)
        guard let template = try? Template(text), text.utf8.count < 200 else { return }
        let name = String(decoding: lines.last?.prefix(100) ?? [], as: UTF8.self)
        let values: [Template.Variable: String] = [
            .table: name, .timestamp: "2021-04-26T09:00:00", .date: "2021-04-26", .ext: "csv.gz",
        ]
        let rendered = template.render(values)
        expect(template.match(rendered, values) != nil, "a template does not match what it gives")
        if !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")) {
            let known: [Template.Variable: String] = [.table: name]
            expect(template.match(rendered, known) != nil, "a template does not find what it gives")
        }
        _ = template.matches(name, [:], limit: 2)
    }
}
