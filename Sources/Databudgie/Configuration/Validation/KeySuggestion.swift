/// Finds the name that was probably meant.
package enum KeySuggestion {
    /// Finds the nearest name.
    ///
    /// - Parameters:
    ///   - name: What was written.
    ///   - names: What could have been meant.
    /// - Returns: The nearest name by edit distance, when at most a third of its characters differ; else one that
    ///   contains the given one or is contained in it; nil when none is near.
    package static func nearest(to name: String, among names: [String]) -> String? {
        let lowered = name.lowercased()
        let distances = names.map { (name: $0, distance: distance(Array(lowered.utf8), Array($0.utf8))) }
        if let best = distances.min(by: { $0.distance < $1.distance }),
            best.distance <= max(1, min(lowered.utf8.count, best.name.utf8.count) / 3)
        {
            return best.name
        }
        guard lowered.utf8.count > 2 else { return nil }
        return names.first { $0.containsBytes(of: lowered) || lowered.containsBytes(of: $0) }
    }

    /// The least number of insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        guard first.count < 200, second.count < 200 else { return .max }
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for (i, a) in first.enumerated() {
            var row = [i + 1]
            for (j, b) in second.enumerated() {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == second[j - 1], first[i - 1] == b { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[second.count]
    }
}
