/// The parameters of a watch, checked as an API server does.
struct WatchParameters {
    private(set) var request: WatchRequest?
    private(set) var refusal = StatusBody(code: 500, message: "")

    init(_ asked: APIRequest, _ options: SimulatorServer.Options, current: Int) {
        let version = asked.query["resourceVersion"] ?? ""
        let sendsInitial = asked.query["sendInitialEvents"] == "true"
        if !version.isEmpty, Int(version) == nil {
            refusal = Self.badVersion(version)
        } else if sendsInitial, !options.hasStreamingLists {
            refusal = Self.invalidOptions(
                "sendInitialEvents",
                "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate "
                    + "is enabled")
        } else if sendsInitial, asked.query["resourceVersionMatch"] != "NotOlderThan" {
            refusal = Self.invalidOptions(
                "resourceVersionMatch",
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            )
        } else if sendsInitial, let wanted = Int(version), wanted > current {
            refusal = .tooLarge(wanted, current: current)
        } else {
            let bookmarks = asked.isSet("allowWatchBookmarks")
            let seconds = Int(asked.query["timeoutSeconds"] ?? "") ?? 1800
            request = WatchRequest(
                after: sendsInitial || version.isEmpty || version == "0" ? nil : Int(version),
                endsInitialEvents: sendsInitial && bookmarks, allowsBookmarks: bookmarks,
                timeout: .seconds(max(1, seconds)), bookmarkInterval: options.bookmarkInterval)
        }
    }

    static func badVersion(_ text: String) -> StatusBody {
        StatusBody(
            code: 500,
            message: "resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: parsing "
                + "\"\(text)\": invalid syntax")
    }

    private static func invalidOptions(_ field: String, _ message: String) -> StatusBody {
        StatusBody(
            code: 422, reason: "Invalid",
            message: "ListOptions.meta.k8s.io \"\" is invalid: \(field): \(message)",
            kind: "ListOptions", group: "meta.k8s.io",
            causes: [.init("FieldValueForbidden", message, field: field)])
    }
}
