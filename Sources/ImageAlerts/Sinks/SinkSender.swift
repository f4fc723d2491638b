import FoundationEssentials
import KubeClient

/// Makes messages of notifications and sends them, one attempt at a time.
struct SinkSender: Sendable {
    /// What came of an attempt.
    enum Outcome: Sendable, Equatable {
        case delivered
        /// It may work later.
        case later(String, after: Duration?)
        /// It will not, however often it is tried.
        case refused(String)
    }

    /// How long an alert lives in Alertmanager that is not told again, and one that is told once.
    private static let firingLife = TimeInterval(240)
    private static let onceLife = TimeInterval(300)

    let sink: Sink
    /// For events on nodes.
    let client: KubeClient?
    let userAgent: String

    /// One attempt. Several notifications at once are for those that put alerts together by themselves.
    ///
    /// - Parameter right: No request is begun without it, nor goes on after it.
    func send(
        _ notifications: [Notification], at time: Date, _ right: SendingRight? = nil
    ) async -> Outcome {
        do throws(KubeError) {
            return try await attempt(notifications, time, right)
        } catch {
            // Errors name hosts and files, never what is secret of an address.
            switch error.code {
            case .request, .memory: return .refused(error.message)
            default: return .later(error.message, after: nil)
            }
        }
    }

    private func attempt(
        _ notifications: [Notification], _ time: Date, _ right: SendingRight?
    ) async throws(KubeError) -> Outcome {
        let first = notifications[0]
        switch sink.kind {
        case .slack(let url): return try await post(ChatPayload.slack(first), to: url, right)
        case .teams(let url): return try await post(ChatPayload.teams(first), to: url, right)
        case .pagerDuty(let url, let key):
            let (path, body) = try MachinePayload.pagerDuty(
                first.first, routingKey: try key.read())
            return try await post(body, to: Secret(plain: url), path: path, right)
        case .webhook(let url, let secrets, let isCloudEvent):
            let body =
                isCloudEvent
                ? try MachinePayload.cloudEvent(first) : try MachinePayload.plimsoll(first)
            let type =
                isCloudEvent
                ? "application/cloudevents+json; charset=UTF-8" : "application/json"
            var keys: [String] = []
            for secret in secrets { keys.append(try secret.read()) }
            let bytes = Self.bytes(body)
            let headers = try WebhookSignature.headers(
                id: first.id, time: time, body: bytes, secrets: keys)
            return try await post(bytes, type, headers, to: url, right)
        case .alertmanager(let urls):
            let alerts = notifications.flatMap(\.alerts).map { alert in
                MachinePayload.alertmanager(alert, end: Self.end(of: alert, time))
            }
            return try await tell(.array(alerts), urls, right)
        case .kubernetesEvent: return try await record(first.first)
        }
    }

    private static func end(of alert: Alert, _ time: Date) -> Date {
        if alert.status == .resolved { return time }
        return alert.lasts
            ? time.addingTimeInterval(firingLife)
            : max(alert.time.addingTimeInterval(onceLife), time.addingTimeInterval(60))
    }

    /// Every peer of a group is told, for they do not tell each other; one is enough to go on.
    private func tell(
        _ body: JSONValue, _ urls: [Secret], _ right: SendingRight?
    ) async throws(KubeError) -> Outcome {
        var outcomes: [Outcome] = []
        for url in urls {
            do throws(KubeError) {
                outcomes.append(try await post(body, to: url, path: "/api/v2/alerts", right))
            } catch {
                outcomes.append(.later(error.message, after: nil))
            }
        }
        return outcomes.first { $0 == .delivered } ?? outcomes[0]
    }

    // MARK: HTTP

    private static func bytes(_ body: JSONValue) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in it can fail to encode.
        return Array((try? encoder.encode(body)) ?? Data())
    }

    private func post(
        _ body: JSONValue, to url: Secret, path: String = "", _ right: SendingRight?
    ) async throws(KubeError) -> Outcome {
        try await post(Self.bytes(body), "application/json", [], to: url, path: path, right)
    }

    private func post(
        _ body: [UInt8], _ contentType: String, _ headers: [String], to url: Secret,
        path: String = "", _ right: SendingRight?
    ) async throws(KubeError) -> Outcome {
        var address = try url.read()
        if !path.isEmpty {
            while address.hasSuffix("/") { address.removeLast() }
            address += path
        }
        let endpoint = try HTTPEndpoint(url: address, sink.security, proxy: sink.proxy)
        let timeout = right.map { min(sink.timeout, $0.timeLeft) } ?? sink.timeout
        guard timeout > .zero else {
            return .later("another tells now", after: nil)
        }
        let answer: HTTPEndpoint.Answer
        do throws(KubeError) {
            answer = try await endpoint.post(
                body, contentType: contentType, headers: headers + (try authorization()),
                userAgent: userAgent, timeout: timeout)
        } catch {
            var named = error
            named.message = "\(endpoint.host): \(error.message)"
            throw named
        }
        if answer.isSuccess { return .delivered }
        let said = answer.body.split(separator: "\n").first.map { ": \($0.prefix(200))" } ?? ""
        let reason = "\(endpoint.host) says \(answer.status)\(said)"
        switch answer.status {
        // What is wrong with the message stays wrong; an address or a credential may be put right.
        case 400, 405, 406, 410, 411, 413, 414, 415, 422: return .refused(reason)
        default: return .later(reason, after: answer.retryAfter)
        }
    }

    private func authorization() throws(KubeError) -> [String] {
        switch sink.authorization {
        case nil: return []
        case .bearer(let token): return ["Authorization: Bearer \(try token.read())"]
        case .basic(let user, let password):
            let pair = "\(user):\(try password.read())"
            return ["Authorization: Basic \(Data(pair.utf8).base64EncodedString())"]
        }
    }

    // MARK: Events

    private func record(_ alert: Alert) async throws(KubeError) -> Outcome {
        guard let client, let node = alert.node else { return .delivered }
        var event = ClusterEvent(
            regarding: .init(kind: "Node", name: node.name, uid: node.uid),
            reason: alert.status == .resolved ? alert.reason + "Resolved" : alert.reason,
            action: "Observe", note: alert.summary,
            severity: alert.severity == Rule.Severity.info.rawValue || alert.status == .resolved
                ? .normal : .warning,
            controller: "plimsoll", instance: "plimsoll", time: alert.time)
        event.identifier = String(alert.id.prefix(20))
        do throws(KubeError) {
            try await client.record(event)
            return .delivered
        } catch {
            switch error.httpStatus {
            // It is there already.
            case 409: return .delivered
            case 400, 422: return .refused(error.message)
            default: throw error
            }
        }
    }
}
