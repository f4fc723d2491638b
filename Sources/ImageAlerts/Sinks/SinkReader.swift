import KubeClient

/// Reads one sink of a file.
struct SinkReader {
    static let kinds = [
        "alertmanager", "slack", "teams", "pagerduty", "webhook", "kubernetes-event",
    ]

    private var fields: RuleFields
    private let node: YAML

    var problems: [RuleProblem] { fields.problems }

    init(_ node: YAML, number: Int) {
        self.node = node
        let name = node.pairs == nil ? nil : node["name"]?.string
        fields = RuleFields(node, owner: name.map { "sink \"\($0)\"" } ?? "sink \(number)")
    }

    /// The sink; nil where it has problems.
    mutating func read() -> Sink? {
        guard node.pairs != nil else { return nil }
        let kinds = Self.kinds.joined(separator: ", ")
        let name = fields.name()
        let type = fields.required("type", "type; there are \(kinds)") { $0.string }
        guard let type, let kind = kind(type) else {
            if let type, Self.kinds.contains(type) {
                fields.allow([
                    "timeout", "min_severity", "rules", "send_resolved", "tls", "proxy",
                    "bearer_token", "basic_auth", "per_minute",
                ])
                fields.finish()
            }
            return nil
        }
        var sink = Sink(name: name ?? "", kind: kind)
        readCommon(&sink)
        if case .kubernetesEvent = kind {} else { readConnection(&sink) }
        fields.finish()
        return fields.problems.isEmpty ? sink : nil
    }

    private mutating func kind(_ type: String) -> Sink.Kind? {
        let before = fields.problems.count
        let kind = makeKind(type)
        return fields.problems.count == before ? kind : nil
    }

    private mutating func makeKind(_ type: String) -> Sink.Kind? {
        switch type {
        case "alertmanager":
            let urls = fields.required("urls", "list of URLs, one for each peer") { value in
                value.elements ?? (value.string == nil ? nil : [value])
            }
            let read = (urls ?? []).compactMap { readURL($0, "urls", isSecret: false) }
            return read.isEmpty ? nil : .alertmanager(urls: read)
        case "slack": return address(isSecret: true).map { .slack(url: $0) }
        case "teams": return address(isSecret: true).map { .teams(url: $0) }
        case "pagerduty":
            let url = fields.value("url").flatMap { readURL($0, "url", isSecret: false) }
            let key = secret("routing_key", isRequired: true)
            let plain = (try? url?.read()) ?? "https://events.pagerduty.com"
            return key.map { .pagerDuty(url: plain, routingKey: $0) }
        case "webhook":
            let url = address(isSecret: false)
            var secrets: [Secret] = []
            if let value = fields.value("secret") {
                let values = value.elements ?? [value]
                secrets = values.compactMap { readSecret($0, "secret") }
            }
            let body = fields.field("body", "form of a body; there are plimsoll, cloudevents") {
                ["plimsoll", "cloudevents"].contains($0.string) ? $0.string : nil
            }
            return url.map {
                .webhook(url: $0, secrets: secrets, isCloudEvent: body == "cloudevents")
            }
        case "kubernetes-event": return .kubernetesEvent
        default:
            fields.complain(
                "\(fields.owner): there is no type \"\(type)\""
                    + Suggestion.text(for: type, among: Self.kinds), at: node["type"]?.place)
            return nil
        }
    }

    private mutating func readCommon(_ sink: inout Sink) {
        sink.leastSeverity = fields.severity("min_severity") ?? .info
        sink.rules = (fields.strings("rules") ?? []).map(Glob.init)
        sink.tellsResolved = fields.field("send_resolved", "true or false") { $0.bool } ?? true
        sink.timeout =
            fields.field("timeout", "time from 1s to 2m") {
                RuleFields.duration($0).flatMap {
                    (.seconds(1)...(.seconds(120))).contains($0) ? $0 : nil
                }
            } ?? .seconds(15)
        sink.perMinute = fields.field("per_minute", "number from 1", RuleFields.positive) ?? 60
    }

    private mutating func readConnection(_ sink: inout Sink) {
        sink.proxy = fields.field("proxy", "URL of an http, https or socks5 proxy") { value in
            value.string.flatMap { text in
                ["http://", "https://", "socks5://", "socks5h://"].contains { text.hasPrefix($0) }
                    ? text : nil
            }
        }
        let token = secret("bearer_token", isRequired: false)
        if let token { sink.authorization = .bearer(token) }
        if let value = fields.value("basic_auth") {
            var inner = RuleFields(value, owner: "\"basic_auth\" of \(fields.owner)")
            let user = inner.required("username", "name") { $0.string }
            _ = inner.required("password", "secret: {file: PATH} or {env: NAME}") { $0 }
            inner.finish()
            fields.take(over: inner.problems)
            if token != nil {
                fields.complain(
                    "\(fields.owner) has both \"bearer_token\" and \"basic_auth\"; it takes one",
                    at: value.keyPlace)
            }
            if let user, let given = value["password"], let password = readSecret(given, "password")
            {
                sink.authorization = .basic(user: user, password: password)
            }
        }
        guard let value = fields.value("tls") else { return }
        var inner = RuleFields(value, owner: "\"tls\" of \(fields.owner)")
        sink.security.certificateAuthority = inner.string("ca_file")
        sink.security.certificate = inner.string("cert_file")
        sink.security.key = inner.string("key_file")
        sink.security.serverName = inner.string("server_name")
        sink.security.skipsVerification =
            inner.field("insecure_skip_verify", "true or false") { $0.bool } ?? false
        if (sink.security.certificate == nil) != (sink.security.key == nil) {
            inner.complain("\(inner.owner): \"cert_file\" and \"key_file\" go together")
        }
        inner.finish()
        fields.take(over: inner.problems)
    }

    // MARK: Secrets and addresses

    private mutating func address(isSecret: Bool) -> Secret? {
        let what =
            isSecret ? "secret: {file: PATH} or {env: NAME}" : "URL, or {file: PATH} or {env: NAME}"
        return fields.required("url", what) { $0 }.flatMap {
            readURL($0, "url", isSecret: isSecret)
        }
    }

    /// An address, in the clear where that gives nothing away.
    private mutating func readURL(_ value: YAML, _ key: String, isSecret: Bool) -> Secret? {
        guard let text = value.string else { return readSecret(value, key) }
        if isSecret {
            // Not repeated: whoever has the address can write.
            fields.complain(
                "\"\(key)\" of \(fields.owner) is a secret; put it in a file or the environment, "
                    + "and write {file: PATH} or {env: NAME}", at: value.place)
            return nil
        }
        do throws(KubeError) {
            _ = try HTTPEndpoint(url: text, .init())
            return Secret(plain: text)
        } catch {
            fields.complain("\"\(key)\" of \(fields.owner): \(error.message)", at: value.place)
            return nil
        }
    }

    private mutating func secret(_ key: String, isRequired: Bool) -> Secret? {
        let what = "secret: {file: PATH} or {env: NAME}"
        let value = isRequired ? fields.required(key, what) { $0 } : fields.value(key)
        return value.flatMap { readSecret($0, key) }
    }

    private mutating func readSecret(_ value: YAML, _ key: String) -> Secret? {
        guard let pairs = value.pairs, pairs.count == 1, let text = pairs[0].value.string,
            ["file", "env"].contains(pairs[0].key)
        else {
            fields.complain(
                "\"\(key)\" of \(fields.owner) must be {file: PATH} or {env: NAME}, so that the "
                    + "configuration holds no secret", at: value.place)
            return nil
        }
        return pairs[0].key == "file" ? Secret(file: text) : Secret(environment: text)
    }
}
