/// The templates that are used where none is given.
enum Defaults {
    static let location = Template(parts: [.literal("backups/"), .variable(.table)])
    static let filename = Template(parts: [.variable(.timestamp), .literal("."), .variable(.ext)])
    static let query = Template(parts: [.literal("select * from "), .variable(.table)])
}
