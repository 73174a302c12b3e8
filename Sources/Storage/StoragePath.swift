/// The place of a file: on this machine's disks, or in an S3 bucket.
///
/// ```swift
/// let folder = try StoragePath("s3://my-bucket/nightly")
/// let file = folder.appending("public.sales/2026-01-02T03:04:05.csv.gz")
/// ```
///
/// Keys are taken verbatim: `?`, `#`, `%`, `+`, `:`, spaces and `//` in an `s3://` path are parts of the key, as in the
/// AWS command line, and never a query, a fragment or an encoding. Paths are cut and compared by their UTF-8 bytes: `é` in
/// one code point and `e` with a combining accent are two files, as on disks and in S3, and a `/` divides names whatever
/// follows it.
public enum StoragePath: Sendable {
    /// A path of the local file system, absolute or relative to the working directory.
    case local(String)
    /// An object's key in a bucket; an empty key is the bucket itself.
    case s3(bucket: String, key: String)

    /// Parses a path as people write it: `s3://bucket/key`, or a local path.
    /// - Parameter text: The path, not percent-encoded.
    /// - Throws: `StorageError` with code `invalidPath` when the text is empty, contains a NUL byte, does not name a
    ///   valid bucket or has another scheme than `s3`.
    public init(_ text: String) throws(StorageError) {
        guard !text.isEmpty else {
            throw StorageError(.invalidPath, "the path is empty", hint: "give a local path or s3://bucket/key")
        }
        guard !text.utf8.contains(0) else {
            throw StorageError(.invalidPath, "the path \(quoting(text)) contains a NUL byte", hint: "remove it")
        }
        guard let schemeEnd = StoragePath.endOfScheme(text) else {
            self = .local(text)
            return
        }
        guard text[..<schemeEnd].lowercased() == "s3" else {
            throw StorageError(
                .invalidPath,
                "the path \(quoting(text)) has the unknown scheme \(text[..<schemeEnd])://",
                hint: "give a local path or s3://bucket/key"
            )
        }
        let rest = text.utf8[schemeEnd...].dropFirst(3)
        let parts = rest.split(separator: slash, maxSplits: 1, omittingEmptySubsequences: false)
        let bucket = parts.first.map { String(Substring($0)) } ?? ""
        guard StoragePath.isBucketName(bucket) else {
            throw StorageError(
                .invalidPath,
                "the path \(quoting(text)) does not name a valid bucket",
                hint: "write s3://bucket/key, with a bucket of 3 to 63 letters, digits, dots, hyphens or underscores"
            )
        }
        self = .s3(bucket: bucket, key: parts.count > 1 ? String(Substring(parts[1])) : "")
    }

    /// Adds a component, verbatim, after exactly one `/` of its own.
    /// - Parameter component: A name, or several joined by `/`; nothing in it is encoded or normalised.
    /// - Returns: The longer path; this path itself when the component is empty.
    public func appending(_ component: String) -> StoragePath {
        guard !component.isEmpty else { return self }
        return mapText { text in text.isEmpty || text.utf8.last == slash ? text + component : text + "/" + component }
    }

    /// The folder that holds this file, or nil when there is none above it.
    public var parent: StoragePath? {
        switch self {
        case .local(let path):
            guard let end = path.utf8.lastIndex(of: slash) else { return path.equalsBytes(of: ".") ? nil : .local(".") }
            guard end != path.utf8.startIndex else { return path.utf8.count == 1 ? nil : .local("/") }
            return .local(String(path[..<end]))
        case .s3(let bucket, let key):
            guard !key.isEmpty else { return nil }
            let end = key.utf8.lastIndex(of: slash) ?? key.utf8.startIndex
            return .s3(bucket: bucket, key: String(key[..<end]))
        }
    }

    /// What follows the last `/`: the file's name.
    public var lastComponent: String {
        let text = text
        guard let end = text.utf8.lastIndex(of: slash) else { return text }
        return String(text[text.utf8.index(after: end)...])
    }

    /// The local path, or the key.
    var text: String {
        switch self {
        case .local(let path): path
        case .s3(_, let key): key
        }
    }

    private func mapText(_ transform: (String) -> String) -> StoragePath {
        switch self {
        case .local(let path): .local(transform(path))
        case .s3(let bucket, let key): .s3(bucket: bucket, key: transform(key))
        }
    }

    /// Finds the `:` of a leading `scheme://` (RFC 3986, section 3.1).
    private static func endOfScheme(_ text: String) -> String.Index? {
        let bytes = text.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon != bytes.startIndex,
            bytes[colon...].starts(with: "://".utf8),
            bytes[..<colon].allSatisfy({ $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) })
        else { return nil }
        return colon
    }

    /// Loose on purpose: old buckets and other servers allow more than AWS does today.
    private static func isBucketName(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-._".utf8.contains($0) }
    }
}

extension StoragePath: CustomStringConvertible {
    /// The path as people write it.
    public var description: String {
        switch self {
        case .local(let path): path
        case .s3(let bucket, let key): "s3://\(bucket)/\(key)"
        }
    }
}

extension StoragePath: Hashable {
    /// Whether two paths have the same bytes.
    public static func == (left: StoragePath, right: StoragePath) -> Bool {
        switch (left, right) {
        case (.local(let left), .local(let right)):
            left.equalsBytes(of: right)
        case (.s3(let leftBucket, let leftKey), .s3(let rightBucket, let rightKey)):
            leftKey.equalsBytes(of: rightKey) && leftBucket.equalsBytes(of: rightBucket)
        case (.local, .s3), (.s3, .local):
            false
        }
    }

    /// Hashes the path's bytes.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .local(let path):
            hasher.combine(bytesOf: path)
        case .s3(let bucket, let key):
            hasher.combine(bytesOf: bucket)
            hasher.combine(bytesOf: key)
        }
    }
}

extension StoragePath: Comparable {
    /// Orders paths by their UTF-8 bytes, as S3 lists keys.
    public static func < (left: StoragePath, right: StoragePath) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}
