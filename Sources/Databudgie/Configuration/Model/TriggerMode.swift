/// Whether triggers of the target fire for the rows that are loaded.
public enum TriggerMode: String, Sendable, CaseIterable {
    /// They are off where the run empties or creates the table and the role owns it; elsewhere they fire, with a warning
    /// (`triggers: auto`).
    case automatic = "auto"
    /// They do not fire, and neither do those on TRUNCATE (`triggers: off`).
    case off
    /// They fire (`triggers: fire`).
    case fire
}
