/// The templates that are used if none is given.
enum Defaults {
    static let location = Template(parts: [.literal("backups/"), .variable(.table)])
    static let definitionsLocation = Template(parts: [.literal("backups/ddl")])
    static let filename = Template(parts: [.variable(.timestamp), .literal("."), .variable(.ext)])
    static let query = Template(parts: [.literal("select * from "), .variable(.table)])
}
