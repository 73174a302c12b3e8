extension PlanGraph {
    /// The graph in Graphviz's language (https://graphviz.org/doc/info/lang.html).
    public var dot: String {
        var lines = [
            "digraph databudgie {",
            "  graph [rankdir=LR, fontname=\"sans-serif\"];",
            "  node [shape=box, style=rounded, fontname=\"sans-serif\"];",
            "  edge [fontname=\"sans-serif\", fontsize=10];",
        ]
        for (node, item) in nodes.enumerated() {
            let style = item.isReached ? ", style=\"rounded,dashed\"" : ""
            lines.append("  t\(node) [label=\"\(item.lines.map(Self.dotText).joined(separator: "\\n"))\"\(style)];")
        }
        for (frame, members) in members.enumerated() where !members.isEmpty {
            let names = members.map { "t\($0);" }.joined(separator: " ")
            lines.append("  subgraph cluster_\(frame) { label=\"\(Self.dotText(frames[frame]))\"; \(names) }")
        }
        lines += edges.map { "  t\($0.tail) -> t\($0.head) [label=\"\(Self.dotText($0.label))\"];" }
        if let omission { lines.append("  omitted [label=\"\(Self.dotText(omission))\", shape=plaintext];") }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    /// The graph in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html).
    public var mermaid: String {
        var lines = ["flowchart LR"]
        for (node, item) in nodes.enumerated() {
            let text = item.lines.map(Self.mermaidText).joined(separator: "<br/>")
            lines.append("  t\(node)[\"\(text)\"]" + (item.isReached ? ":::reached" : ""))
        }
        for (frame, members) in members.enumerated() where !members.isEmpty {
            lines.append("  subgraph g\(frame)[\"\(Self.mermaidText(frames[frame]))\"]")
            lines += members.map { "    t\($0)" } + ["  end"]
        }
        lines += edges.map { edge in
            edge.label.isEmpty
                ? "  t\(edge.tail) --> t\(edge.head)"
                : "  t\(edge.tail) -->|\"\(Self.mermaidText(edge.label))\"| t\(edge.head)"
        }
        if let omission { lines.append("  omitted[\"\(Self.mermaidText(omission))\"]") }
        lines.append("  classDef reached stroke-dasharray: 4")
        return lines.joined(separator: "\n") + "\n"
    }

    private var members: [[Int]] {
        var members: [[Int]] = Array(repeating: [], count: frames.count)
        for (index, node) in nodes.enumerated() {
            if let frame = node.frame { members[frame].append(index) }
        }
        return members
    }

    private var omission: String? {
        omitted == 0 ? nil : "and \(counted(omitted, "more table")), too many to draw"
    }

    /// Text between the double quotes of Graphviz, which knows backslashes and the entities of HTML in it.
    static func dotText(_ text: String) -> String {
        escaped(text) { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "\"", "&", "<", ">": "&#\(scalar.value);"
            default: nil
            }
        }
    }

    /// Text between the double quotes of Mermaid, which has no escapes but entities of its own.
    static func mermaidText(_ text: String) -> String {
        escaped(text) { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", "_", ".", ",", "-": nil
            case _ where scalar.isASCII: "#\(scalar.value);"
            default: nil
            }
        }
    }

    /// Code point by code point, whatever combining mark follows; what no text of XML may have is spelled out.
    private static func escaped(_ text: String, _ escape: (Unicode.Scalar) -> String?) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isForbidden =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: true
                default: false
                }
            let spelled =
                isForbidden
                ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars
                : String(scalar).unicodeScalars
            for scalar in spelled {
                if let replacement = escape(scalar) {
                    result += replacement
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}
