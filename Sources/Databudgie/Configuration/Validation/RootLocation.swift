/// Puts locations under `root_location`, as databudgie 2.9.3 does.
enum RootLocation {
    private static let scheme = "s3://"
    private static let slash = UInt8(ascii: "/")

    /// Composes a location.
    ///
    /// A location that begins with a slash, or repeats the root's bucket, is still a folder below the root.
    /// - Parameters:
    ///   - root: The value of `root_location`.
    ///   - location: A table's or the DDL's location.
    /// - Returns: The location as it is used.
    /// - Throws: ``ConfigurationError`` without a place, when the two contradict each other: they name different buckets,
    ///   or a bucket would be in an absolute local folder.
    static func compose(_ root: String?, _ location: String) throws(ConfigurationError) -> String {
        guard let root else { return location }
        let (rootBucket, rootPath) = split(root)
        let (bucket, path) = split(location)
        if let bucket, let rootBucket, !bucket.hasBytes(of: rootBucket) {
            throw ConfigurationError(
                .invalidValue,
                "the location '\(location)' is in another bucket than root_location '\(root)'",
                hint: "remove one of the two"
            )
        }
        if bucket != nil, rootBucket == nil, rootPath.startsWithBytes(of: "/") {
            throw ConfigurationError(
                .invalidValue,
                "the location '\(location)' cannot be in the local folder of root_location '\(root)'",
                hint: "remove one of the two"
            )
        }
        let relative = String(decoding: path.utf8.drop { $0 == slash }, as: UTF8.self)
        let isOpen = rootPath.isEmpty || rootPath.utf8.last == slash
        let joined = isOpen ? rootPath + relative : rootPath + "/" + relative
        guard let bucket = rootBucket ?? bucket else { return joined }
        return scheme + bucket + "/" + joined
    }

    private static func split(_ location: String) -> (bucket: String?, path: String) {
        guard location.startsWithBytes(of: scheme) else { return (nil, location) }
        let rest = location.utf8.dropFirst(scheme.utf8.count)
        let end = rest.firstIndex(of: slash) ?? rest.endIndex
        let path = rest[end...].drop { $0 == slash }
        return (String(decoding: rest[..<end], as: UTF8.self), String(decoding: path, as: UTF8.self))
    }
}
