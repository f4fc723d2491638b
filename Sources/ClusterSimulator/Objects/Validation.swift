import ObjectEncoding

/// What an API server refuses in an object, as far as clients meet it: names, label keys, and the
/// time of an event.
enum Validation {
    static func faults(_ object: JSONValue, _ kind: ResourceKind) -> [StatusBody.Cause] {
        var faults: [StatusBody.Cause] = []
        // The old form of events is not looked at so closely.
        for field in kind == .events ? [] : ["generateName", "name"] {
            guard let name = object["metadata", field]?.string else {
                if field == "name" {
                    faults.append(
                        .init(
                            "FieldValueRequired",
                            "Required value: name or generateName is required",
                            field: "metadata.name"))
                }
                continue
            }
            // A prefix may end in what the suffix makes good.
            let checked = field == "name" || name.last != "-" ? name : String(name.dropLast())
            if !isSubdomain(checked) {
                faults.append(invalid(name, "metadata.\(field)", subdomainRule))
                break
            }
        }
        for field in ["labels", "annotations"] {
            for key in object["metadata", field]?.object?.keys ?? [] where !isQualifiedName(key) {
                faults.append(invalid(key, "metadata.\(field)", qualifiedNameRule))
            }
        }
        if kind == .newEvents, (object["eventTime"] ?? .null) == .null {
            faults.append(.init("FieldValueRequired", "Required value", field: "eventTime"))
        }
        return faults
    }

    private static func invalid(
        _ value: String, _ field: String, _ rule: String
    ) -> StatusBody.Cause {
        .init("FieldValueInvalid", "Invalid value: \"\(value)\": \(rule)", field: field)
    }

    /// RFC 1123, lower case.
    private static func isSubdomain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                part.first != "-" && part.last != "-" && !part.isEmpty
                    && part.utf8.allSatisfy {
                        $0 == UInt8(ascii: "-") || isDigit($0) || (97...122).contains($0)
                    }
            }
    }

    /// A prefix that is a subdomain, a slash, and a name.
    private static func isQualifiedName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2, name.utf8.count <= 63,
            parts.count == 1 || isSubdomain(String(parts[0])),
            let first = name.utf8.first, let last = name.utf8.last
        else { return false }
        return isLetterOrDigit(first) && isLetterOrDigit(last)
            && name.utf8.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (97...122).contains(byte | 0x20)
    }

    // The real server's words, which clients show to people.
    private static let subdomainRule =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        + "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
        + #"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#

    private static let qualifiedNameRule =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
        + "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "
        + "for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
}
