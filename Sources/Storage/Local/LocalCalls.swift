import SystemPackage

/// The calls of the system that not every file system answers alike; tests put others in their place.
struct LocalCalls: Sendable {
    /// Gives a file a second name, unless that is taken.
    var link: @Sendable (LocalFolder, _ name: String, _ other: String) throws(Errno) -> Void = {
        (folder, name, other) throws(Errno) in try folder.link(name, as: other)
    }
    /// Makes names in a folder durable.
    var flush: @Sendable (LocalFolder) throws(Errno) -> Void = { (folder) throws(Errno) in try folder.flush() }
}
