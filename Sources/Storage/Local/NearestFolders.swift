import SystemPackage

/// Finds for paths the folders that exist, at them or nearest above them; what is missing is looked up once.
struct NearestFolders {
    /// Paths that are missing, with the nearest folders above them that exist.
    private var missing: [String: String] = [:]

    /// The folder that exists, at a path or nearest above it.
    ///
    /// - Parameter target: The path.
    /// - Returns: The path of the folder.
    /// - Throws: `StorageError` for a link that is not followed; `Errno`.
    mutating func folder(of target: String) throws -> String {
        let above = StoragePath.local(target).parent?.text
        // Below a missing folder nothing is there.
        if let known = missing[target] ?? above.flatMap({ missing[$0] }) { return known }
        do {
            return try LocalFolder(path: target).path
        } catch Errno.noSuchFileOrDirectory {
            guard let above, above != target else { throw Errno.noSuchFileOrDirectory }
            let found = try folder(of: above)
            missing[target] = found
            return found
        }
    }
}
