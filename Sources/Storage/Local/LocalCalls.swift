import Glibc
import SystemPackage

/// The calls of the system that not every file system answers alike; tests put others in their place.
struct LocalCalls: Sendable {
    /// Gives a file a second name, unless that is taken.
    var link: @Sendable (LocalFolder, _ name: String, _ other: String) throws(Errno) -> Void = {
        (folder, name, other) throws(Errno) in try folder.link(name, as: other)
    }
    /// Makes names in a folder durable.
    var flush: @Sendable (LocalFolder) throws(Errno) -> Void = { (folder) throws(Errno) in try folder.flush() }
    /// Copies bytes of a file into another one within the kernel, and returns how many; it moves the target's file position.
    ///
    /// Not copy_file_range, which is not declared for Swift: beyond what sendfile does it shares whole blocks, and the ends of
    /// pieces are no ends of blocks.
    var copyRange: @Sendable (FileRange, _ target: FileDescriptor, _ offset: Int64) throws(Errno) -> Int64 = {
        (range, target, offset) throws(Errno) in
        guard lseek(target.rawValue, Int(offset), SEEK_SET) >= 0 else { throw Errno(rawValue: errno) }
        var start = Int(range.offset)
        let count = sendfile(target.rawValue, range.file.rawValue, &start, Int(range.count))
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return Int64(count)
    }
}

/// Some bytes of an open file.
struct FileRange: Sendable {
    let file: FileDescriptor
    /// The position of the first one.
    var offset: Int64
    var count: Int64
}
