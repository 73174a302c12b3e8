import Storage
import Testing

@Suite("A storage path")
struct StoragePathTests {
    @Test(
        "An S3 location is taken verbatim",
        arguments: [
            ("s3://bucket/key", "key"), ("s3://bucket/a b+c%41?x#y", "a b+c%41?x#y"),
            ("s3://bucket//double//slash/", "/double//slash/"),
            ("s3://bucket/2021-04-26T09:00:00.csv", "2021-04-26T09:00:00.csv"), ("s3://bucket", ""),
            ("s3://bucket/", ""),
            ("S3://bucket/é/s3://x", "é/s3://x"),
        ]
    )
    func s3(text: String, key: String) throws {
        #expect(try StoragePath(text) == .s3(bucket: "bucket", key: key))
    }

    @Test(
        "Everything without a scheme is a local path",
        arguments: ["a", "/a/b", "./a", "a:b/c", "s3:/x", "C:\\x", "//x"]
    )
    func local(text: String) throws {
        #expect(try StoragePath(text) == .local(text))
    }

    @Test(
        "What is wrong with a path is reported",
        arguments: [
            ("", "the path is empty; give a local path or s3://bucket/key"),
            (
                "gs://bucket/key",
                "the path \"gs://bucket/key\" has the unknown scheme gs://; give a local path or s3://bucket/key"
            ),
            (
                "s3:///key",
                "the path \"s3:///key\" does not name a valid bucket; write s3://bucket/key, with a bucket of 3 to 63 letters, "
                    + "digits, dots, hyphens or underscores"
            ),
            ("a\0b", "the path \"a\\0b\" contains a NUL byte; remove it"),
        ]
    )
    func invalid(text: String, message: String) {
        let error = #expect(throws: StorageError.self) { try StoragePath(text) }
        #expect(error?.code == .invalidPath)
        #expect(error?.description == message)
    }

    @Test(
        "A bucket that would change the address is refused",
        arguments: ["s3://a@b.c/k", "s3://x?y/k", "s3://a:80/k", "s3://ab/k"]
    )
    func bucket(text: String) {
        #expect(throws: StorageError.self) { try StoragePath(text) }
    }

    @Test("Components are added after one slash")
    func appending() {
        #expect(
            StoragePath.s3(bucket: "bucket", key: "").appending("a").appending("b/c")
                == .s3(bucket: "bucket", key: "a/b/c")
        )
        #expect(StoragePath.s3(bucket: "bucket", key: "a/").appending("b") == .s3(bucket: "bucket", key: "a/b"))
        #expect(StoragePath.local("/").appending("a").appending("") == .local("/a"))
        #expect(StoragePath.local("a").appending("..") == .local("a/.."))
    }

    @Test("A path knows its folder and its name")
    func parts() {
        #expect(StoragePath.local("/a/b").parent == .local("/a"))
        #expect(StoragePath.local("/a").parent == .local("/"))
        #expect(StoragePath.local("/").parent == nil)
        #expect(StoragePath.local("a").parent == .local("."))
        #expect(StoragePath.local(".").parent == nil)
        #expect(StoragePath.s3(bucket: "bucket", key: "a/b").parent == .s3(bucket: "bucket", key: "a"))
        #expect(StoragePath.s3(bucket: "bucket", key: "a").parent == .s3(bucket: "bucket", key: ""))
        #expect(StoragePath.s3(bucket: "bucket", key: "").parent == nil)
        #expect(StoragePath.s3(bucket: "bucket", key: "a/b c").lastComponent == "b c")
        #expect(StoragePath.local("a").lastComponent == "a")
    }

    @Test("Paths that differ in normalisation only are two", arguments: [("\u{e9}", "e\u{301}"), ("\u{212a}", "K")])
    func normalisation(left: String, right: String) {
        for paths in [
            [StoragePath.local(left), .local(right)],
            [.s3(bucket: "bucket", key: left), .s3(bucket: "bucket", key: right)],
            [.s3(bucket: left, key: "key"), .s3(bucket: right, key: "key")],
        ] {
            #expect(paths[0] != paths[1])
            #expect(Set(paths + paths).count == 2)
            #expect((paths[0] < paths[1]) != (paths[1] < paths[0]))
        }
    }

    @Test("A slash before a combining mark divides names", arguments: ["\u{301}b", "\u{200d}b", "\u{fe0f}"])
    func marks(name: String) throws {
        let path = try StoragePath("s3://bucket/a/\(name)")
        #expect(path == .s3(bucket: "bucket", key: "a/\(name)"))
        #expect(path.parent == .s3(bucket: "bucket", key: "a"))
        #expect(Array(path.lastComponent.utf8) == Array(name.utf8))
        #expect(path.parent?.appending(name) == path)
        #expect(try StoragePath("/\(name)").parent == .local("/"))
        #expect(try StoragePath("s3://bucket/\(name)") == .s3(bucket: "bucket", key: name))
        #expect(throws: StorageError.self) { try StoragePath("s3://\(name)ucket/key") }
        #expect(StoragePath.s3(bucket: "bucket", key: "a/").appending(name) == path)
    }

    @Test("A path is parsed from what it prints", arguments: ["s3://bucket/a b", "s3://bucket/", "/x/y", "x"])
    func description(text: String) throws {
        #expect(try StoragePath(text).description == text)
    }
}
