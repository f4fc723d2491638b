package import WatchEngine

/// A client of one cluster's API server. Thread-safe.
public final class KubeClient: Sendable {
    /// Where the cluster is and who we are.
    public let configuration: KubeConfiguration
    private let userAgent: String
    private let limits: DecodingLimits

    /// Makes a client. Nothing is connected yet.
    ///
    /// - Parameters:
    ///   - configuration: Where the cluster is and who we are.
    ///   - userAgent: How to introduce ourselves, "name/version (os/arch)". It must not begin with
    ///     "curl": the API server would pretty-print.
    ///   - limits: Bounds on what is accepted from the server.
    public init(
        _ configuration: KubeConfiguration, userAgent: String = "plimsoll",
        limits: DecodingLimits = DecodingLimits()
    ) {
        self.configuration = configuration
        self.limits = limits
        self.userAgent = userAgent
    }

    /// An engine client for one thread. Certificates in files are read now.
    ///
    /// - Throws: `configuration`, `memory`.
    package func makeEngine() throws(KubeError) -> EngineClient {
        let authority = try configuration.authority?.read("certificate-authority") ?? []
        let certificate = try configuration.certificate?.read("client-certificate") ?? []
        let key = try configuration.key?.read("client-key") ?? []
        let handle = configuration.server.withCString { server in
            userAgent.withCString { agent in
                withOptionalCString(configuration.tlsServerName) { name in
                    withOptionalCString(configuration.proxyURL) { proxy in
                        var options = plm_client_options()
                        options.base_url = server
                        options.user_agent = agent
                        options.tls_server_name = name
                        options.proxy_url = proxy
                        options.limits = limits.engine
                        options.insecure_skip_verify = configuration.skipsVerification
                        return Self.create(
                            options, authority, certificate, key,
                            configuration.impersonation.headerLines)
                    }
                }
            }
        }
        guard let handle else { throw .outOfMemory }
        return EngineClient(handle: handle)
    }

    private static func create(
        _ base: plm_client_options, _ authority: [UInt8], _ certificate: [UInt8], _ key: [UInt8],
        _ headerLines: [String]
    ) -> OpaquePointer? {
        withText(authority) { authority in
            withText(certificate) { certificate in
                withText(key) { key in
                    withTexts(headerLines[...]) { lines in
                        lines.withUnsafeBufferPointer { lines in
                            var options = base
                            options.ca_pem = authority
                            options.client_certificate_pem = certificate
                            options.client_key_pem = key
                            options.header_lines = lines.baseAddress
                            options.header_line_count = lines.count
                            return plm_client_create(&options)
                        }
                    }
                }
            }
        }
    }

    /// The bearer token to send now. A token file is read anew each time, for it is rotated; only
    /// over https, so that it never travels in the clear.
    ///
    /// - Throws: `credentials`.
    package func bearerToken() throws(KubeError) -> String {
        guard configuration.server.hasPrefix("https://") else { return "" }
        guard let file = configuration.tokenFile else { return configuration.token ?? "" }
        do throws(KubeError) {
            let text = String(decoding: try FileReader.read(file), as: UTF8.self)
            let token = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace)
            guard !token.isEmpty else {
                throw KubeError(.credentials, "the token file \(file) is empty")
            }
            return String(token.reversed())
        } catch {
            if let token = configuration.token { return token }
            throw KubeError(.credentials, error.message)
        }
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
private func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

/// Lends several strings to C.
private func withTexts<Result>(
    _ strings: ArraySlice<String>, _ done: [plm_text] = [], _ body: ([plm_text]) -> Result
) -> Result {
    guard let first = strings.first else { return body(done) }
    return withText(Array(first.utf8)) { text in
        withTexts(strings.dropFirst(), done + [text], body)
    }
}
