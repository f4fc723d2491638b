import ObjectEncoding

/// A `metav1.Status`, as the API server answers errors.
struct StatusBody: Error, Sendable {
    struct Cause: Sendable {
        var reason: String
        var message: String
        var field: String

        init(_ reason: String, _ message: String, field: String = "") {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    var code: Int
    var reason = ""
    var message: String
    var kind = ""
    var name = ""
    var group = ""
    var causes: [Cause] = []
    var retryAfterSeconds: Int?
    /// `metadata.continue`: how to go on with a list.
    var continueToken = ""
    /// Whether `details` is there even with nothing in it.
    var alwaysHasDetails = false

    /// Sent as ERROR event in a watch.
    static func expired(_ version: Int, current: Int) -> StatusBody {
        StatusBody(
            code: 410, reason: "Expired",
            message: "too old resource version: \(version) (\(current))")
    }

    /// The answer to a list at an exact version.
    static let listExpired = StatusBody(
        code: 410, reason: "Expired",
        message: "The resourceVersion for the provided list is too old.")

    static func tooLarge(_ version: Int, current: Int) -> StatusBody {
        StatusBody(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: \(version), current: \(current)",
            causes: [.init("ResourceVersionTooLarge", "Too large resource version")],
            retryAfterSeconds: 1)
    }

    /// A page's resourceVersion is gone from the history.
    static func continueExpired(fresh token: String) -> StatusBody {
        StatusBody(
            code: 410, reason: "Expired",
            message: "The provided continue parameter is too old to display a consistent list "
                + "result. You can start a new list without the continue parameter, or use the "
                + "continue token in this response to retrieve the remainder of the results. "
                + "Continuing with the provided token results in an inconsistent list - objects that "
                + "were created, modified, or deleted between the time the first chunk was returned "
                + "and now may show up in the list.",
            continueToken: token)
    }

    static let unauthorized = StatusBody(
        code: 401, reason: "Unauthorized", message: "Unauthorized")

    static func badRequest(_ message: String) -> StatusBody {
        StatusBody(code: 400, reason: "BadRequest", message: message)
    }

    var json: JSONText {
        var json = JSONText()
        json.raw(
            "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{"
                + (continueToken.isEmpty ? "" : "\"continue\":\"\(continueToken)\"")
                + "},\"status\":\"Failure\",\"message\":")
        json.string(message)
        if !reason.isEmpty {
            json.raw(",\"reason\":")
            json.string(reason)
        }
        var details: [String] = []
        func quoted(_ text: String) -> String {
            var value = JSONText()
            value.string(text)
            return String(decoding: value.bytes, as: UTF8.self)
        }
        if !name.isEmpty { details.append("\"name\":" + quoted(name)) }
        if !group.isEmpty { details.append("\"group\":" + quoted(group)) }
        if !kind.isEmpty { details.append("\"kind\":" + quoted(kind)) }
        if !causes.isEmpty {
            let list = causes.map { cause in
                "{\"reason\":\(quoted(cause.reason)),\"message\":\(quoted(cause.message))"
                    + (cause.field.isEmpty ? "}" : ",\"field\":\(quoted(cause.field))}")
            }
            details.append("\"causes\":[" + list.joined(separator: ",") + "]")
        }
        if let retryAfterSeconds { details.append("\"retryAfterSeconds\":\(retryAfterSeconds)") }
        if alwaysHasDetails || !details.isEmpty {
            json.raw(",\"details\":{" + details.joined(separator: ",") + "}")
        }
        json.raw(",\"code\":\(code)}")
        return json
    }
}
