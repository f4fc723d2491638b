import Synchronization
package import WatchEngine

/// A client of one cluster's API server. Thread-safe.
public final class KubeClient: Sendable {
    /// Where the cluster is and who we are.
    public let configuration: KubeConfiguration
    /// How long one request with its answer may take; nil: as long as it takes. Of a watch, the time
    /// to the head of the answer, and then it is 60 s where this is nil.
    public let requestTimeout: Duration?
    private let maxConnectionAge: Duration?
    private let speaksHTTP2: Bool
    /// Told what is done, on the thread that does it.
    package let trace: (@Sendable (KubeTrace) -> Void)?
    let sender: RequestSender
    private let userAgent: String
    private let limits: DecodingLimits
    private let exec: ExecCredentials?
    private let lastMaterial = Locked<TLSMaterial?>(nil)

    /// Makes a client. Nothing is connected yet.
    ///
    /// - Parameters:
    ///   - configuration: Where the cluster is and who we are.
    ///   - userAgent: How to introduce ourselves, "name/version (os/arch)". It must not begin with
    ///     "curl": the API server would pretty-print.
    ///   - limits: Bounds on what is accepted from the server.
    ///   - requestTimeout: How long one request with its answer may take; nil: no limit.
    ///   - requestRate: How many small requests are made in a second, at most; watches do not count.
    ///   - maxConnectionAge: A connection older than that is not used for another request, be it the next
    ///     watch: so that clients spread over API servers that came later. In whole seconds; nil: none.
    ///   - http2: Speak HTTP/2 with servers that offer it. A list costs a little less over HTTP/1.1.
    ///   - trace: Told what is done, on the thread that does it; must not block.
    public init(
        _ configuration: KubeConfiguration, userAgent: String = "plimsoll",
        limits: DecodingLimits = DecodingLimits(), requestTimeout: Duration? = .seconds(30),
        requestRate: RequestRate = .standard, maxConnectionAge: Duration? = nil,
        http2: Bool = false,
        trace: (@Sendable (KubeTrace) -> Void)? = nil
    ) {
        self.maxConnectionAge = maxConnectionAge
        speaksHTTP2 = http2
        self.trace = trace
        self.configuration = configuration
        self.requestTimeout = requestTimeout
        sender = RequestSender(rate: requestRate, timeout: requestTimeout)
        self.limits = limits
        exec = configuration.exec.map { plugin in
            var plugin = plugin
            plugin.patience = configuration.execTimeout
            return ExecCredentials(plugin, trace)
        }
        self.userAgent = userAgent
    }

    /// A client of one of the cluster's kubelets, with the same credentials.
    init(
        of cluster: KubeClient, _ configuration: KubeConfiguration, timeout: Duration
    ) {
        maxConnectionAge = nil
        speaksHTTP2 = false
        trace = cluster.trace
        self.configuration = configuration
        requestTimeout = timeout
        sender = RequestSender(rate: .standard, timeout: timeout)
        limits = cluster.limits
        exec = cluster.exec
        userAgent = cluster.userAgent
    }

    /// Certificates and token as they are now: of files that have been replaced, the new ones; of an
    /// exec plugin, what it answers. May block as long as the plugin takes. A certificate that cannot
    /// be read because it is just being replaced counts as the last one.
    ///
    /// - Throws: `configuration`, `credentials`, `cancelled`.
    package func access(
        _ isCancelled: @escaping @Sendable () -> Bool
    ) throws(KubeError) -> (material: TLSMaterial, token: String) {
        let credential = try exec?.credential(isCancelled)
        var material: TLSMaterial
        do throws(KubeError) {
            material = TLSMaterial(
                authority: try configuration.authority?.read("certificate-authority") ?? [],
                certificate: try configuration.certificate?.read("client-certificate") ?? [],
                key: try configuration.key?.read("client-key") ?? [])
            let read = material
            lastMaterial.withLock { $0 = read }
        } catch {
            guard let last = lastMaterial.withLock({ $0 }) else { throw error }
            material = last
        }
        if let certificate = credential?.certificate, let key = credential?.key {
            material.certificate = Array(certificate.utf8)
            material.key = Array(key.utf8)
        }
        // Only over https, so that a token never travels in the clear.
        guard configuration.server.hasPrefix("https://") else { return (material, "") }
        if let credential { return (material, credential.token ?? "") }
        return (material, try storedToken())
    }

    /// The token of the kubeconfig. A token file is read anew each time, for it is rotated.
    private func storedToken() throws(KubeError) -> String {
        guard let file = configuration.tokenFile else { return configuration.token ?? "" }
        do throws(KubeError) {
            let token = String(decoding: try FileReader.read(file), as: UTF8.self).trimmed
            guard !token.isEmpty else {
                throw KubeError(.credentials, "the token file \(file) is empty")
            }
            return token
        } catch {
            if let token = configuration.token { return token }
            throw KubeError(.credentials, error.message)
        }
    }

    /// An engine client for one thread.
    ///
    /// - Throws: `memory`.
    package func makeEngine(_ material: TLSMaterial) throws(KubeError) -> EngineClient {
        try EngineClient.connecting(
            to: configuration.server, userAgent: userAgent,
            tlsServerName: configuration.tlsServerName, proxyURL: configuration.proxyURL, material,
            headerLines: configuration.impersonation.headerLines
        ) { options in
            options.limits = limits.engine
            options.max_connection_age_seconds = Int32(
                clamping: maxConnectionAge.map { max(1, $0.components.seconds) } ?? 0)
            options.speaks_http2 = speaksHTTP2
            options.insecure_skip_verify = configuration.skipsVerification
        }
    }

    /// The server has not accepted our credential. Returns whether another one may be had, so that
    /// it makes sense to ask again at once.
    package func credentialWasRefused() -> Bool {
        exec?.invalidate()
        return exec != nil || configuration.tokenFile != nil
    }
}

/// Certificates and key, PEM.
package struct TLSMaterial: Sendable, Hashable {
    package var authority: [UInt8]
    package var certificate: [UInt8]
    package var key: [UInt8]

    package init(authority: [UInt8] = [], certificate: [UInt8] = [], key: [UInt8] = []) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }
}

/// Lends bytes to C; no bytes are an absent text.
package func withText<Result>(_ bytes: [UInt8], _ body: (plm_text) -> Result) -> Result {
    bytes.withUnsafeBytes {
        body(
            plm_text(
                bytes: bytes.isEmpty
                    ? nil : $0.baseAddress?.assumingMemoryBound(to: CChar.self),
                length: bytes.count))
    }
}

/// Lends a string to C, or NULL.
func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

/// Lends several strings to C.
func withTexts<Result>(
    _ strings: ArraySlice<String>, _ done: [plm_text] = [], _ body: ([plm_text]) -> Result
) -> Result {
    guard let first = strings.first else { return body(done) }
    return withText(Array(first.utf8)) { text in
        withTexts(strings.dropFirst(), done + [text], body)
    }
}
