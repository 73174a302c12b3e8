/// Union-find with path halving (Tarjan and van Leeuwen, 1984).
struct DisjointSets {
    private var parents: [Int]

    init(count: Int) {
        parents = Array(0..<count)
    }

    mutating func root(of element: Int) -> Int {
        var element = element
        while parents[element] != element {
            parents[element] = parents[parents[element]]
            element = parents[element]
        }
        return element
    }

    /// The smaller root wins, so a set is known by its first member.
    ///
    /// - Returns: False when the two were in one set already.
    @discardableResult
    mutating func join(_ first: Int, _ second: Int) -> Bool {
        let roots = [root(of: first), root(of: second)].sorted()
        parents[roots[1]] = roots[0]
        return roots[0] != roots[1]
    }
}
