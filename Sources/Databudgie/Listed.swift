extension Collection<String> {
    /// As many names as a line of a message has room for, and how many more there are.
    ///
    /// - Parameters:
    ///   - count: How many are written out.
    ///   - separator: What stands between them.
    /// - Returns: `a, b, c and 7 more`.
    func listed(atMost count: Int = 5, separator: String = ", ") -> String {
        let shown = prefix(count).joined(separator: separator)
        return self.count > count ? "\(shown) and \(self.count - count) more" : shown
    }
}
