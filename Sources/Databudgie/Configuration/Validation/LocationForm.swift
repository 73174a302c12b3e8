/// What a location may begin with: `s3://`, `~/`, or a local path.
enum LocationForm {
    /// Refuses other schemes and slips of `s3://`, and replaces `~/` by the home folder, as a shell does.
    ///
    /// - Parameters:
    ///   - location: A location below its root, with its variables.
    ///   - home: The home folder, if it is known.
    /// - Returns: The location as it is used.
    /// - Throws: ``ConfigurationError`` without a place.
    static func checked(_ location: String, home: String?) throws(ConfigurationError) -> String {
        if let scheme = scheme(of: location) {
            throw ConfigurationError(
                .invalidValue,
                "the location '\(location)' begins with '\(scheme)', which is not a scheme that can be used",
                hint: "give a local path or s3://bucket/key"
            )
        }
        guard location.hasBytes(of: "~") || location.startsWithBytes(of: "~/") else { return location }
        guard let home, home.startsWithBytes(of: "/") else {
            throw ConfigurationError(
                .invalidValue,
                "the location '\(location)' is in the home folder, but HOME does not name one",
                hint: "set HOME, or write the whole path"
            )
        }
        // Braces of a folder's name are not a template's.
        let folder = home.replacingBytes(of: "{", with: "{{").replacingBytes(of: "}", with: "}}")
        return folder + String(decoding: location.utf8.dropFirst(), as: UTF8.self)
    }

    /// The scheme that a location begins with, if it is not `s3://`; also what was meant to be that one.
    private static func scheme(of location: String) -> String? {
        let bytes = location.utf8
        let name = bytes.prefix { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.".utf8.contains(byte)
        }
        let rest = bytes[name.endIndex...]
        let isS3 = String(Substring(name)).lowercased() == "s3"
        if rest.starts(with: "://".utf8), !name.isEmpty { return isS3 ? nil : String(Substring(name)) + "://" }
        // A folder of that name is still written `s3/x`, or `./s3:x`.
        for slip in ["//", ":/", ":"] where isS3 && rest.starts(with: slip.utf8) {
            return String(Substring(name)) + slip
        }
        return nil
    }
}
