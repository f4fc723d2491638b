import WatchEngine

/// An address that takes messages over HTTP, be it no kube-apiserver: a webhook, a chat, a pager. Each
/// message goes by itself; connections are not kept, for messages are few. Thread-safe.
package struct HTTPEndpoint: Sendable {
    /// Whom to trust, and who we are.
    package struct Security: Sendable, Hashable {
        /// A file with the authority of the server's certificate; nil: the system's.
        package var certificateAuthority: String?
        /// Files; both or none.
        package var certificate: String?
        package var key: String?
        /// The name the server's certificate is for.
        package var serverName: String?
        package var skipsVerification = false

        package init() {}
    }

    /// What came of a message.
    package struct Answer: Sendable {
        package var status: Int
        package var retryAfter: Duration?
        /// The beginning of what it says.
        package var body: String

        package var isSuccess: Bool { (200...299).contains(status) }
    }

    /// "https://host:port", without path.
    private let base: String
    /// Path and query; may hold a secret.
    private let target: String
    private let security: Security
    private let proxy: String?

    /// - Parameters:
    ///   - url: Where to; http or https.
    ///   - proxy: An http, https or socks5 proxy; nil: as the environment says; "": none.
    /// - Throws: `request` where it is no such URL; it is not named, for it may hold a secret.
    package init(url: String, _ security: Security, proxy: String? = nil) throws(KubeError) {
        guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else {
            throw KubeError(.request, "no URL that begins with https:// or http://")
        }
        let rest = url.dropFirst(scheme.count)
        let host = rest.prefix { !"/?#".contains($0) }
        guard !host.isEmpty, !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            throw KubeError(.request, "no URL: it lacks a host, or holds spaces")
        }
        base = scheme + host
        let path = rest.dropFirst(host.count).prefix { $0 != "#" }
        target = path.hasPrefix("/") ? String(path) : "/" + path
        self.security = security
        self.proxy = proxy
    }

    /// Host and port, for errors and logs.
    package var host: String { String(base.drop { $0 != "/" }.dropFirst(2)) }

    /// Sends a message. A refusal is an answer; errors are of the way there.
    ///
    /// - Parameter headers: "Name: value"; may hold secrets.
    /// - Throws: `resolve`, `connect`, `tls`, `certificate`, `credentials`, `transport`, `timeout`,
    ///   `cancelled`, `memory`, `file`.
    package func post(
        _ body: [UInt8], contentType: String, headers: [String] = [], userAgent: String,
        timeout: Duration
    ) async throws(KubeError) -> Answer {
        let canceller = try Canceller()
        let result = await withTaskCancellationHandler {
            await DedicatedThread.run { () -> Result<Answer, KubeError> in
                Result { () throws(KubeError) in
                    try self.exchange(body, contentType, headers, userAgent, timeout, canceller)
                }
            }
        } onCancel: {
            canceller.cancel()
        }
        return try result.get()
    }

    private func exchange(
        _ body: [UInt8], _ contentType: String, _ headers: [String], _ userAgent: String,
        _ timeout: Duration, _ canceller: Canceller
    ) throws(KubeError) -> Answer {
        let client = try makeClient(userAgent)
        var request = EngineRequest(target: target, token: "", canceller: canceller)
        request.method = "POST"
        request.body = body
        request.contentType = contentType
        request.accept = "*/*"
        request.headerLines = headers
        request.totalTimeout = timeout
        let answer = try client.exchange(request)
        return Answer(
            status: answer.status, retryAfter: answer.retryAfter,
            body: String(decoding: answer.body.prefix(512), as: UTF8.self))
    }

    private func makeClient(_ userAgent: String) throws(KubeError) -> EngineClient {
        func read(_ path: String?) throws(KubeError) -> [UInt8] {
            guard let path else { return [] }
            return try FileReader.read(path)
        }
        let material = TLSMaterial(
            authority: try read(security.certificateAuthority),
            certificate: try read(security.certificate), key: try read(security.key))
        return try EngineClient.connecting(
            to: base, userAgent: userAgent, tlsServerName: security.serverName, proxyURL: proxy,
            material
        ) { options in
            options.insecure_skip_verify = security.skipsVerification
            options.limits = DecodingLimits().engine
        }
    }
}
