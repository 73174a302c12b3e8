extension Array {
    /// Cuts a list into parts that fit into one statement or one transaction.
    ///
    /// - Parameter size: The most elements of a part.
    /// - Returns: The parts in their order; only the last one may be shorter.
    func batches(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
