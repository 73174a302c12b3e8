import Storage

extension ValueReader {
    /// How S3 is reached, and how files are kept there; what cannot be used is reported.
    func s3(_ value: SourceValue?) -> S3Options {
        var options = S3Options()
        guard let mapping = mapping(value, "s3", .s3) else { return options }
        options.accessKeyID = anyText(mapping["aws_access_key_id"], "aws_access_key_id")
        options.secretAccessKey = anyText(mapping["aws_secret_access_key"], "aws_secret_access_key")
        options.sessionToken = anyText(mapping["aws_session_token"], "aws_session_token")
        options.region = text(mapping["region"], "region")
        options.profile = text(mapping["profile"], "profile")
        options.endpointURL = string(mapping["endpoint_url"], "endpoint_url")
        let style = choice(mapping["addressing_style"], "addressing_style", S3Options.AddressingStyle.self)
        options.addressingStyle = style ?? .auto
        options.serverSideEncryption = choice(
            mapping["server_side_encryption"],
            "server_side_encryption",
            S3Options.ServerSideEncryption.self
        )
        options.kmsKeyID = kmsKeyID(mapping)
        options.storageClass = storageClass(mapping["storage_class"])
        options.tags = tags(mapping["tags"])
        options.requestPayer = choice(mapping["request_payer"], "request_payer", S3Options.RequestPayer.self)
        return options
    }

    /// A key of KMS, which means nothing with another encryption.
    private func kmsKeyID(_ mapping: SourceMapping) -> String? {
        let key = "sse_kms_key_id"
        guard let value = mapping[key], let text = text(value, key), !text.isEmpty else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            report.add(
                .invalidValue,
                "'\(key)' cannot have spaces or other characters than those of ASCII",
                hint: "write the id, the ARN or the alias of a key",
                at: value.place
            )
            return nil
        }
        // What is wrong with the encryption is reported already.
        let encryption = mapping["server_side_encryption"].flatMap { $0.isNull ? nil : $0.scalar?.text }
        let kind = encryption.map { S3Options.ServerSideEncryption(rawValue: $0.withoutLastLineBreak) }
        guard (kind ?? .aes256)?.usesKMS != false else {
            report.add(
                .invalidValue,
                "'\(key)' has no effect without an encryption by KMS",
                hint: "set 'server_side_encryption' to aws:kms or aws:kms:dsse, or remove the key",
                at: value.place
            )
            return nil
        }
        return text
    }

    /// A storage class, whose name only the server knows: others than Amazon's have classes of their own, and Amazon new ones.
    ///
    /// A backup asks the server before it reads a row.
    private func storageClass(_ value: SourceValue?) -> String? {
        let key = "storage_class"
        guard let value, let text = text(value, key), !text.isEmpty else { return nil }
        guard text.utf8.count <= 255, text.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "_-.".utf8.contains($0) })
        else {
            report.add(
                .invalidValue,
                Self.refusal(of: text, as: key),
                hint: "write the name of a storage class, such as STANDARD_IA",
                at: value.place
            )
            return nil
        }
        let known = S3Options.knownStorageClasses
        if !known.contains(where: { $0.hasBytes(of: text) }) {
            let upper = text.uppercased().replacing("-", with: "_")
            let nearest =
                known.first { $0.hasBytes(of: upper) }
                ?? KeySuggestion.nearest(to: text, among: known.map { $0.lowercased() })?.uppercased()
            report.warn(
                "'\(key)': '\(text)' is not a storage class of Amazon's",
                hint: nearest.map { "did you mean '\($0)'?" },
                at: value.place
            )
        }
        return text
    }

    /// Tags in the order of their appearance, within the limits of S3.
    private func tags(_ value: SourceValue?) -> [S3Options.Tag] {
        guard let mapping = mapping(value, "tags") else { return [] }
        let tags = mapping.entries.compactMap { entry -> S3Options.Tag? in
            guard !entry.value.isNull else {
                report.add(
                    .wrongType,
                    "the tag '\(entry.key)' in 'tags' has no value",
                    hint: "give it one, write '' for an empty one, or remove it",
                    at: entry.keyPlace
                )
                return nil
            }
            guard let text = anyText(entry.value, entry.key) else { return nil }
            let tag = S3Options.Tag(entry.key, text)
            guard let problem = tag.problem else { return tag }
            report.add(
                .invalidValue,
                "the tag '\(entry.key)' in 'tags' \(problem)",
                hint: "change it: S3 would refuse every file",
                at: entry.keyPlace
            )
            return nil
        }
        let most = S3Options.Tag.maximumCount
        guard mapping.entries.count <= most else {
            report.add(
                .invalidValue,
                "'tags' has \(mapping.entries.count) tags, and S3 takes \(most) for an object",
                hint: "remove some",
                at: value?.place
            )
            return []
        }
        return tags
    }
}
