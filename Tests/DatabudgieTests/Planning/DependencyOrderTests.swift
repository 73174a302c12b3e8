import Testing

@testable import Databudgie

@Suite("Dependency order")
struct DependencyOrderTests {
    @Test("Without references the order of appearance stays")
    func appearance() {
        #expect(DependencyOrder.components(count: 3, references: [[], [], []]) == [[0], [1], [2]])
    }

    @Test("What is referred to comes first")
    func referencedFirst() {
        #expect(DependencyOrder.components(count: 3, references: [[1], [2], []]) == [[2], [1], [0]])
    }

    @Test("A cycle is one component, and what it refers to comes before it")
    func cycle() {
        let references = [[1], [2], [0, 3], [], [0]]
        #expect(DependencyOrder.components(count: 5, references: references) == [[3], [0, 1, 2], [4]])
    }

    @Test("A node that refers to itself stands alone")
    func selfReference() {
        #expect(DependencyOrder.components(count: 2, references: [[0], [0]]) == [[0], [1]])
    }

    @Test("A chain of a hundred thousand nodes does not overflow the stack")
    func longChain() {
        let count = 100_000
        let references = (0..<count).map { $0 + 1 < count ? [$0 + 1] : [] }
        let components = DependencyOrder.components(count: count, references: references)
        #expect(components.first == [count - 1])
        #expect(components.last == [0])
    }

    @Test("Every reference of a dense graph of 1,000 nodes is respected")
    func dense() {
        let references = (0..<1_000).map { node in (0..<node).filter { ($0 * 7 + node) % 3 == 0 } }
        let order = DependencyOrder.components(count: 1_000, references: references).flatMap { $0 }
        var positions = Array(repeating: 0, count: 1_000)
        for (position, node) in order.enumerated() { positions[node] = position }
        #expect(Set(order).count == 1_000)
        #expect(
            references.enumerated().allSatisfy { node, others in others.allSatisfy { positions[$0] < positions[node] } }
        )
    }
}
