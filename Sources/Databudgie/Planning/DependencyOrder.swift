/// Puts things into an order in which what is referred to comes first.
enum DependencyOrder {
    /// Groups the nodes `0 ..< count` into strongly connected components, referenced ones first.
    ///
    /// A component of more than one node is a cycle of references; a node that refers only to itself is not one.
    /// When references do not decide, the order of the nodes does. Time and memory are linear in nodes and edges
    /// (Tarjan, "Depth-first search and linear graph algorithms", 1972), and the depth of the stack is constant.
    /// - Parameters:
    ///   - count: How many nodes there are.
    ///   - references: For each node the nodes that it refers to.
    /// - Returns: The components, each in ascending order of its nodes.
    static func components(count: Int, references: [[Int]]) -> [[Int]] {
        var search = TarjanSearch(count: count)
        for node in 0..<count {
            search.visit(node, references: references)
        }
        return search.components
    }
}

private struct TarjanSearch {
    /// When a node was reached first; 0 before that.
    private var discovered: [Int]
    /// The earliest node on the stack that is reachable from here.
    private var lowest: [Int]
    private var isOnStack: [Bool]
    private var stack: [Int] = []
    private var clock = 0
    private(set) var components: [[Int]] = []

    init(count: Int) {
        discovered = Array(repeating: 0, count: count)
        lowest = discovered
        isOnStack = Array(repeating: false, count: count)
    }

    mutating func visit(_ root: Int, references: [[Int]]) {
        guard discovered[root] == 0 else { return }
        // The calls of the textbook's recursion, kept as values: a chain of many tables must not overflow the stack.
        var calls: [(node: Int, nextReference: Int)] = [(root, 0)]
        enter(root)
        while let (node, nextReference) = calls.last {
            guard nextReference < references[node].count else {
                calls.removeLast()
                leave(node)
                if let caller = calls.last?.node {
                    lowest[caller] = min(lowest[caller], lowest[node])
                }
                continue
            }
            calls[calls.count - 1].nextReference += 1
            let referenced = references[node][nextReference]
            if discovered[referenced] == 0 {
                enter(referenced)
                calls.append((referenced, 0))
            } else if isOnStack[referenced] {
                lowest[node] = min(lowest[node], discovered[referenced])
            }
        }
    }

    private mutating func enter(_ node: Int) {
        clock += 1
        discovered[node] = clock
        lowest[node] = clock
        stack.append(node)
        isOnStack[node] = true
    }

    private mutating func leave(_ node: Int) {
        guard lowest[node] == discovered[node] else { return }
        var component: [Int] = []
        while let member = stack.popLast() {
            isOnStack[member] = false
            component.append(member)
            if member == node { break }
        }
        components.append(component.sorted())
    }
}
