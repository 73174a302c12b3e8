/// Puts locations under `root_location`, as databudgie 2.9.3 does.
enum RootLocation {
    private static let scheme = "s3://"

    /// Composes a location.
    ///
    /// A location that begins with a slash, or repeats the root's bucket, is still a folder below the root.
    /// - Parameters:
    ///   - root: The value of `root_location`.
    ///   - location: A table's or the DDL's location.
    /// - Returns: The location as it is used.
    /// - Throws: ``ConfigurationError`` without a place, when the two cannot both be meant: they name different buckets,
    ///   or a bucket is to lie in an absolute local folder.
    static func compose(_ root: String?, _ location: String) throws(ConfigurationError) -> String {
        guard let root else { return location }
        let (rootBucket, rootPath) = split(root)
        let (bucket, path) = split(location)
        if let bucket, let rootBucket, bucket != rootBucket {
            throw ConfigurationError(
                .invalidValue,
                "the location '\(location)' is in another bucket than root_location '\(root)'; remove one of the two"
            )
        }
        if bucket != nil, rootBucket == nil, rootPath.hasPrefix("/") {
            throw ConfigurationError(
                .invalidValue,
                "the location '\(location)' cannot lie in the local folder of root_location '\(root)'; remove one of the two"
            )
        }
        let relative = path.drop { $0 == "/" }
        let joined = rootPath.isEmpty || rootPath.hasSuffix("/") ? rootPath + relative : rootPath + "/" + relative
        guard let bucket = rootBucket ?? bucket else { return joined }
        return scheme + bucket + "/" + joined
    }

    private static func split(_ location: String) -> (bucket: String?, path: String) {
        guard location.hasPrefix(scheme) else { return (nil, location) }
        let rest = location.dropFirst(scheme.count)
        guard let slash = rest.firstIndex(of: "/") else { return (String(rest), "") }
        return (String(rest[..<slash]), String(rest[slash...].drop { $0 == "/" }))
    }
}
