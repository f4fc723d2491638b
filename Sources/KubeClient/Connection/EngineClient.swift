package import WatchEngine

/// A client of the C engine: connections and the image table of one cluster.
///
/// It belongs to one thread at a time, with everything made from it.
package struct EngineClient: ~Copyable {
    package let handle: OpaquePointer

    /// A client without a cluster: for decoders only.
    ///
    /// - Throws: `memory`.
    package static func forDecoding(
        limits: DecodingLimits
    ) throws(KubeError) -> EngineClient {
        var options = plm_client_options()
        options.limits = limits.engine
        guard let handle = plm_client_create(&options) else { throw .outOfMemory }
        return EngineClient(handle: handle)
    }

    /// A client of a server.
    ///
    /// - Parameters:
    ///   - proxyURL: Nil: as the environment says; "": none.
    ///   - headerLines: "Name: value" of every request; may hold secrets.
    ///   - adjust: Sets the other options.
    /// - Throws: `memory`.
    static func connecting(
        to server: String, userAgent: String, tlsServerName: String?, proxyURL: String?,
        _ material: TLSMaterial, headerLines: [String] = [],
        _ adjust: (inout plm_client_options) -> Void
    ) throws(KubeError) -> EngineClient {
        var options = plm_client_options()
        adjust(&options)
        let handle = server.withCString { server in
            userAgent.withCString { agent in
                withOptionalCString(tlsServerName) { name in
                    withOptionalCString(proxyURL) { proxy in
                        options.base_url = server
                        options.user_agent = agent
                        options.tls_server_name = name
                        options.proxy_url = proxy
                        return create(options, material, headerLines)
                    }
                }
            }
        }
        guard let handle else { throw .outOfMemory }
        return EngineClient(handle: handle)
    }

    private static func create(
        _ base: plm_client_options, _ material: TLSMaterial, _ headerLines: [String]
    ) -> OpaquePointer? {
        withText(material.authority) { authority in
            withText(material.certificate) { certificate in
                withText(material.key) { key in
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

    package init(handle: OpaquePointer) { self.handle = handle }

    deinit { plm_client_destroy(handle) }
}

/// One request as the engine takes it.
package struct EngineRequest {
    package var method = "GET"
    /// Path and query.
    package var target: String
    package var body: [UInt8] = []
    package var contentType = "application/json"
    package var accept = "application/json"
    package var token: String
    /// "Name: value", beside those of the client.
    package var headerLines: [String] = []
    /// To the head of the answer; nil: 60 s.
    package var responseTimeout: Duration?
    /// To the end of the answer; nil: none.
    package var totalTimeout: Duration?
    /// Bytes gather for so long before they are read.
    package var window = Duration.zero
    /// No other request uses its connection.
    package var ownConnection = false
    /// Batches come with the bytes they were made of.
    package var keepsRaw = false
    package var canceller: Canceller

    package init(target: String, token: String, canceller: Canceller) {
        self.target = target
        self.token = token
        self.canceller = canceller
    }
}

extension EngineClient {
    /// Opens a stream, which the caller must destroy. Faults come with its first batch.
    ///
    /// - Parameter projection: What to decode, copied; nil: the body is collected.
    /// - Throws: `memory`.
    package borrowing func open(
        _ request: EngineRequest, _ projection: UnsafePointer<plm_projection>?
    ) throws(KubeError) -> OpaquePointer {
        let stream = request.method.withCString { method in
            request.target.withCString { target in
                request.contentType.withCString { contentType in
                    request.accept.withCString { accept in
                        withText(request.body) { body in
                            withText(Array(request.token.utf8)) { token in
                                withTexts(request.headerLines[...]) { lines in
                                    lines.withUnsafeBufferPointer { lines in
                                        var parts = plm_request(
                                            method: method, target: target, accept: accept,
                                            content_type: body.bytes == nil ? nil : contentType,
                                            body: body,
                                            bearer_token: token, header_lines: lines.baseAddress,
                                            header_line_count: lines.count,
                                            response_timeout_ms: request.responseTimeout?
                                                .milliseconds ?? 0,
                                            total_timeout_ms: request.totalTimeout?.milliseconds
                                                ?? 0,
                                            window_ms: request.window.milliseconds,
                                            own_connection: request.ownConnection,
                                            keeps_raw: request.keepsRaw,
                                            canceller: request.canceller.handle)
                                        return plm_stream_open(handle, &parts, projection)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        guard let stream else { throw .outOfMemory }
        return stream
    }
}

extension KubeError {
    package static var outOfMemory: KubeError { KubeError(.memory, "out of memory") }

    /// What the engine reports as the end of a stream.
    package init(_ failure: plm_failure) {
        self.init(Code(failure.kind), failure.message.string ?? "")
        curlCode = Int(failure.curl_code)
        httpStatus = Int(failure.http_status)
        byteOffset = Int(clamping: failure.byte_offset)
    }
}

extension KubeError.Code {
    init(_ kind: plm_failure_kind) {
        switch kind {
        case .cancelled: self = .cancelled
        case .resolve: self = .resolve
        case .connect: self = .connect
        case .tls: self = .tls
        case .certificate: self = .certificate
        case .credentials: self = .credentials
        case .transport: self = .transport
        case .timeout: self = .timeout
        case .contentType: self = .notKubernetes
        case .syntax: self = .malformed
        case .truncated: self = .truncated
        case .limit: self = .limit
        case .memory: self = .memory
        case .request: self = .request
        }
    }
}

extension KubeStatus {
    package init(_ status: plm_status) {
        self.init(
            code: Int(status.code), reason: status.reason.string ?? "",
            message: status.message.string ?? "", cause: status.cause.string,
            retryAfter: status.retry_after_seconds < 0
                ? nil : .seconds(status.retry_after_seconds))
    }
}

extension plm_text {
    /// The bytes; empty when absent.
    package var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: length) }

    /// A copy; nil when absent.
    package var string: String? { bytes == nil ? nil : String(decoding: raw, as: UTF8.self) }
}
