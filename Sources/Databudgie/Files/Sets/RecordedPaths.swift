import Foundation
import Storage

/// How a set record writes the paths of its files: relative to the folder that holds the set catalog, so that a backup can
/// be copied to another place as a whole; absolute where a file is not below it.
struct RecordedPaths: Sendable {
    private static let slash = UInt8(ascii: "/")

    /// The folder that holds the set catalog.
    let base: StoragePath
    /// What relative local paths outside of it are relative to.
    let workingDirectory: String

    init(catalog: StoragePath, workingDirectory: String = FileManager.default.currentDirectoryPath) {
        base = catalog.parent ?? catalog
        self.workingDirectory = workingDirectory
    }

    /// How the record writes a path.
    func text(of path: StoragePath) -> String {
        if let relative = relative(path), !Self.leadsOut(relative) { return relative }
        guard case .local(let text) = path else { return path.description }
        return Self.withoutParents(
            text.utf8.first == Self.slash ? text : StoragePath.local(workingDirectory).appending(text).description
        )
    }

    /// The path that a record means.
    ///
    /// - Throws: ``DatabudgieError`` for a path that leads out of a folder again, which no record of ours has.
    func path(of text: String) throws -> StoragePath {
        guard !Self.leadsOut(text), !text.isEmpty else {
            throw DatabudgieError(
                .dataFile,
                "the record names the path '\(text)', which is not one of a backup's files"
            )
        }
        if text.utf8.first == Self.slash || text.startsWithBytes(of: "s3://") { return try StoragePath(text) }
        if case .local(let folder) = base, folder.hasBytes(of: ".") { return .local(text) }
        return base.appending(text)
    }

    private static func leadsOut(_ path: String) -> Bool {
        path.split(atByte: "/").contains { $0.hasBytes(of: "..") }
    }

    /// An absolute path in which each `..` has taken away the folder before it.
    private static func withoutParents(_ path: String) -> String {
        guard leadsOut(path) else { return path }
        var parts: [String] = []
        for part in path.split(atByte: "/") where !part.isEmpty && !part.hasBytes(of: ".") {
            if part.hasBytes(of: "..") { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private func relative(_ path: StoragePath) -> String? {
        let (outer, inner): (String, String)
        switch (base, path) {
        case (.local(let folder), .local(let file)): (outer, inner) = (folder, file)
        case (.s3(let bucket, let folder), .s3(let other, let key)):
            guard bucket.hasBytes(of: other) else { return nil }
            (outer, inner) = (folder, key)
        case (.local, .s3), (.s3, .local): return nil
        }
        let rest: Substring.UTF8View
        if outer.isEmpty || outer.hasBytes(of: ".") {
            rest = inner[...].utf8
        } else {
            guard inner.utf8.starts(with: outer.utf8), inner.utf8.dropFirst(outer.utf8.count).first == Self.slash else {
                return nil
            }
            rest = inner.utf8.dropFirst(outer.utf8.count + 1)
        }
        let text = String(Substring(rest))
        let isRelative = text.utf8.first != Self.slash && !text.isEmpty && !text.startsWithBytes(of: "s3://")
        return isRelative ? text : nil
    }
}
