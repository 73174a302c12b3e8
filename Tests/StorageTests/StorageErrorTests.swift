import Foundation
import Glibc
import SystemPackage
import Testing

@testable import Storage

@Suite("Errors of storages")
struct StorageErrorTests {
    @Test("A description is the message and, after a semicolon, the hint")
    func description() {
        #expect("\(StorageError(.notFound, "x does not exist"))" == "x does not exist")
        #expect("\(StorageError(.notFound, "x does not exist", hint: "check x"))" == "x does not exist; check x")
    }

    @Test("A code is described by its name")
    func codes() {
        #expect(StorageError.Code.notFound.description == "notFound")
        #expect(StorageError.Code.notFound != .noSuchBucket)
    }

    @Test(
        "Refusals are explained in the form of all messages",
        arguments: [
            ("NoSuchBucket", 404), ("NoSuchKey", 404), ("SignatureDoesNotMatch", 403), ("InvalidAccessKeyId", 403),
            ("ExpiredToken", 400), ("RequestTimeTooSkewed", 403), ("QuotaExceeded", 403), ("BadDigest", 400),
            ("ConditionalRequestConflict", 409), ("PreconditionFailed", 412), ("KeyTooLongError", 400),
            ("InvalidRange", 416), ("SlowDown", 503), ("AccessDenied", 403), ("Other", 400),
        ]
    )
    func refusals(code: String, status: UInt) {
        let failure = S3Failure(
            path: .s3(bucket: "bucket", key: "key"),
            action: "written",
            endpoint: "https://s3.example.com",
            attempts: 10,
            duration: .seconds(301),
            credentials: nil
        )
        check(failure.error(S3ErrorReply(status: status, code: code, message: "Made up")), names: "s3://bucket/key")
    }

    @Test(
        "Failed system calls are explained in the form of all messages",
        arguments: [
            ENOENT, EEXIST, EACCES, EPERM, EROFS, ENOSPC, EDQUOT, EFBIG, EIO, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP,
            EMFILE,
        ]
    )
    func systemCalls(number: Int32) throws {
        let error = StorageError.local(Errno(rawValue: number), "/a/file", "cannot be written")
        check(try #require(error as? StorageError), names: "/a/file cannot be written: ")
    }

    @Test("Other errors than those of the system pass unchanged")
    func others() {
        let error = StorageError.local(CancellationError(), "/a/file", "cannot be written")
        #expect(error is CancellationError)
    }

    private func check(_ error: StorageError, names subject: String) {
        #expect(error.message.contains(subject))
        #expect(error.message.last != ".")
        #expect(error.hint?.first?.isLowercase == true)
        #expect(error.hint?.last != ".")
        #expect(error.path != nil)
    }
}
