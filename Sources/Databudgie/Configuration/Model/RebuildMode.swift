/// Whether indexes or foreign keys are dropped before the rows are loaded, and built again after them.
public enum RebuildMode: String, Sendable, CaseIterable {
    /// They are, where that takes less time and they come back exactly as they were (`auto`).
    case automatic = "auto"
    /// They stay where they are (`keep`).
    case keep
    /// They are, wherever they come back exactly as they were, and a warning names those that would not (`rebuild`).
    case rebuild
}
