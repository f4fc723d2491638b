/// What writes and reads of single objects are refused with.
extension StatusBody {
    static func notFound(_ kind: ResourceKind, _ name: String) -> StatusBody {
        StatusBody(
            code: 404, reason: "NotFound", message: "\(kind.qualifiedName) \"\(name)\" not found",
            kind: kind.plural, name: name, group: kind.group)
    }

    static func alreadyExists(_ kind: ResourceKind, _ name: String) -> StatusBody {
        StatusBody(
            code: 409, reason: "AlreadyExists",
            message: "\(kind.qualifiedName) \"\(name)\" already exists", kind: kind.plural,
            name: name, group: kind.group)
    }

    static func conflict(_ kind: ResourceKind, _ name: String) -> StatusBody {
        StatusBody(
            code: 409, reason: "Conflict",
            message:
                "Operation cannot be fulfilled on \(kind.qualifiedName) \"\(name)\": the object "
                + "has been modified; please apply your changes to the latest version and try again",
            kind: kind.plural, name: name, group: kind.group)
    }

    /// A precondition of a deletion does not hold.
    static func precondition(
        _ kind: ResourceKind, _ name: String, _ what: String, wanted: String, found: String
    ) -> StatusBody {
        StatusBody(
            code: 409, reason: "Conflict",
            message:
                "Operation cannot be fulfilled on \(kind.kind) \"\(name)\": the \(what) in the "
                + "precondition (\(wanted)) does not match the \(what) in record (\(found)). The "
                + "object might have been \(what == "UID" ? "deleted and then recreated" : "modified")",
            kind: kind.kind, name: name, group: kind.group)
    }

    static func invalid(_ kind: ResourceKind, _ name: String, _ causes: [Cause]) -> StatusBody {
        let texts = causes.map { "\($0.field): \($0.message)" }
        return StatusBody(
            code: 422, reason: "Invalid",
            message: "\(kind.kind) \"\(name)\" is invalid: "
                + (texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"),
            // Of two forms of one object, the stored one is validated.
            kind: kind.kind, name: name, group: kind.stored == nil ? kind.group : "",
            causes: causes)
    }

    static let unsupportedMediaType = StatusBody(
        code: 415, reason: "UnsupportedMediaType", message: "415: Unsupported Media Type",
        alwaysHasDetails: true)

    static func methodNotAllowed() -> StatusBody {
        StatusBody(
            code: 405, reason: "MethodNotAllowed",
            message: "the server does not allow this method on the requested resource",
            alwaysHasDetails: true)
    }

    static let noSuchResource = StatusBody(
        code: 404, reason: "NotFound",
        message: "the server could not find the requested resource", alwaysHasDetails: true)
}
