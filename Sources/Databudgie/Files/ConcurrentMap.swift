extension Collection where Self: Sendable, Element: Sendable, Index: Sendable {
    /// Transforms the elements with a few tasks at a time, and keeps their order.
    ///
    /// - Parameters:
    ///   - limit: How many may run at once.
    ///   - transform: What is done to each element.
    /// - Returns: The results, in the order of the elements.
    /// - Throws: The first error of a transformation; the others are cancelled.
    func concurrentMap<Result: Sendable>(
        limit: Int = 8,
        _ transform: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Result?] = Array(repeating: nil, count: count)
            for (number, element) in self.enumerated() {
                if number >= limit, let (finished, result) = try await group.next() { results[finished] = result }
                group.addTask { (number, try await transform(element)) }
            }
            for try await (finished, result) in group { results[finished] = result }
            return results.compactMap(\.self)
        }
    }
}
