/// Texts for messages without the passwords that they may hold.
extension String {
    /// The text without what may be a password: what a URL, or a URL without its scheme, has before its last `@`, and what
    /// follows `password=`.
    ///
    /// Nothing tells where a password ends, which may hold quotes, slashes and spaces: more is hidden rather than less.
    package var hidingPasswords: String {
        var bytes = Array(utf8)
        Self.hideUser(in: &bytes)
        Self.hideUsersWithoutScheme(in: &bytes)
        if let password = bytes.firstRange(of: Array("password=".utf8)) {
            bytes.replaceSubrange(password.upperBound..., with: Self.mask)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let mask = Array("***".utf8)
    private static let at = UInt8(ascii: "@")
    private static let colon = UInt8(ascii: ":")

    /// `postgresql://me:secret@host/db` becomes `postgresql://***@host/db`; `s3://bucket/a@b` has no password.
    private static func hideUser(in bytes: inout [UInt8]) {
        guard let start = bytes.firstRange(of: Array("://".utf8))?.upperBound,
            let end = bytes.lastIndex(of: at), start <= end
        else { return }
        let user = bytes[start..<end]
        guard user.contains(colon) || !user.contains(UInt8(ascii: "/")) else { return }
        bytes.replaceSubrange(start..<end, with: mask)
    }

    /// `me:secret@host/db` becomes `***@host/db`.
    private static func hideUsersWithoutScheme(in bytes: inout [UInt8]) {
        var end = bytes.endIndex
        while let sign = bytes[..<end].lastIndex(of: at) {
            let start = bytes[..<sign].lastIndex { " \t\n'\"".utf8.contains($0) }.map { $0 + 1 } ?? bytes.startIndex
            let user = bytes[start..<sign]
            if user.contains(colon), user.firstRange(of: Array("://".utf8)) == nil {
                bytes.replaceSubrange(start..<sign, with: mask)
            }
            end = start
        }
    }
}
