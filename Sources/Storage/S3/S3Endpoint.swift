import FoundationEssentials

/// The address of a server, and how buckets are named in it.
struct S3Endpoint: Sendable, Equatable {
    /// `http` or `https`.
    var scheme: String
    /// The host with its port, as the `Host` header has it.
    var host: String
    /// What precedes the bucket or key in every path: empty, or `/prefix`.
    var basePath = ""
    var style: S3Options.AddressingStyle
    /// The server is Amazon's own.
    var isAmazon = false

    /// Amazon's server for a region.
    static func amazon(region: String, style: S3Options.AddressingStyle) -> S3Endpoint {
        S3Endpoint(scheme: "https", host: amazonHost("s3", region: region), style: style, isAmazon: true)
    }

    /// The name of Amazon's host for a service in a region.
    static func amazonHost(_ service: String, region: String) -> String {
        "\(service).\(region)." + (region.beginsWithBytes(of: "cn-") ? "amazonaws.com.cn" : "amazonaws.com")
    }

    /// A server that the user names.
    /// - Throws: `StorageError` when the text is not the URL of a server.
    init(url text: String, style: S3Options.AddressingStyle, service: String = "S3") throws(StorageError) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(),
            let host = url.percentEncodedHost,
            ["http", "https"].contains(scheme), !host.isEmpty, url.query == nil, url.fragment == nil, url.user == nil
        else {
            throw StorageError(
                .invalidConfiguration,
                "the \(service) endpoint \(quoting(redacted(text))) is not the URL of a server",
                hint: "give one like https://s3.example.com or http://127.0.0.1:9000"
            )
        }
        let defaultPort = scheme == "https" ? 443 : 80
        let port = url.port.flatMap { $0 == defaultPort ? nil : ":\($0)" } ?? ""
        var path = url.percentEncodedPath
        while path.utf8.last == slash { path.removeLast() }
        self.init(scheme: scheme, host: host.lowercased() + port, basePath: path, style: style)
    }

    init(scheme: String, host: String, basePath: String = "", style: S3Options.AddressingStyle, isAmazon: Bool = false)
    {
        self.scheme = scheme
        self.host = host
        self.basePath = basePath
        self.style = style
        self.isAmazon = isAmazon
    }

    /// Where a request about a bucket or an object goes.
    /// - Returns: The host with its port, and the encoded path.
    func address(bucket: String, key: String) -> (host: String, path: String) {
        let encodedKey = uriEncoded(key, keepsSlash: true)
        guard namesBucketInHost(bucket) else {
            let path = "\(basePath)/\(uriEncoded(bucket))" + (key.isEmpty ? "" : "/\(encodedKey)")
            return (host, path)
        }
        return ("\(bucket).\(host)", "\(basePath)/\(encodedKey)")
    }

    /// Domains in which buckets are host names, besides all that begin with `s3.` or `s3-`.
    private static let storeDomains = [
        ".amazonaws.com", ".amazonaws.com.cn", ".backblazeb2.com", ".cloudflarestorage.com", ".digitaloceanspaces.com",
        ".linodeobjects.com", ".scw.cloud", ".wasabisys.com", ".your-objectstorage.com", ".googleapis.com",
    ]

    /// Refuses the URL of a bucket where that of a server is wanted.
    ///
    /// Requests would name the bucket twice. Most of them would still do something, but lists of files would not be found:
    /// backups would succeed, and never be restored.
    /// - Throws: `StorageError` when the endpoint contains the bucket.
    func refuse(bucket: String) throws(StorageError) {
        let rest = host.utf8.starts(with: bucket.utf8) ? String(Substring(host.utf8.dropFirst(bucket.utf8.count))) : ""
        let name = rest.prefix { $0 != ":" }
        let isInHost =
            rest.beginsWithBytes(of: ".s3.") || rest.beginsWithBytes(of: ".s3-")
            || Self.storeDomains.contains { name.utf8.count > $0.utf8.count && name.endsWithBytes(of: $0) }
        let isInPath = basePath.utf8.split(separator: slash).last.map { Substring($0).equalsBytes(of: bucket) } ?? false
        guard isInHost || isInPath else { return }
        throw StorageError(
            .invalidConfiguration,
            "the S3 endpoint URL \(scheme)://\(host)\(basePath) contains the bucket \(bucket)",
            hint: "remove the bucket from it: locations name it, as in s3://\(bucket)/folder"
        )
    }

    private func namesBucketInHost(_ bucket: String) -> Bool {
        switch style {
        case .path: false
        case .virtual: true
        // A dot would not match Amazon's certificate; upper case and `_` are not allowed in host names.
        case .auto:
            isAmazon && bucket.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "-") || (97...122).contains($0) }
        }
    }
}
