import FoundationEssentials
public import KubeClient
import NIOCore
import NIOSSL

/// What keeps an ``HTTPServer`` from strangers: TLS, and a token that clients must have for all but probes.
/// Files are read again when they are replaced.
public struct HTTPProtection: Sendable {
    /// Where probes are answered without a token: a kubelet has none.
    private static let open = ["livez", "readyz"]

    private let tls: ReplacedFile<NIOSSLContext>?
    private let token: ReplacedFile<[UInt8]>?

    /// None.
    public static let none = HTTPProtection(tls: nil, token: nil)

    private init(tls: ReplacedFile<NIOSSLContext>?, token: ReplacedFile<[UInt8]>?) {
        self.tls = tls
        self.token = token
    }

    /// - Parameters:
    ///   - certificate: A PEM file with the certificate and those it hangs from; nil: no TLS.
    ///   - key: A PEM file with its key.
    ///   - token: A file with the token; nil: everybody may ask.
    /// - Throws: `file`, `certificate` or `credentials`: what cannot be read or used, and why.
    public init(certificate: String?, key: String?, token: String?) throws(KubeError) {
        do {
            tls = try certificate.flatMap { certificate in
                try key.map { key in
                    try ReplacedFile { try Self.context(certificate, key) }
                }
            }
            self.token = try token.map { path in try ReplacedFile { try Self.token(path) } }
        } catch let error as KubeError {
            throw error
        } catch {
            throw KubeError(
                .certificate,
                "\(certificate ?? "") and \(key ?? "") are no certificate and its key: \(error)")
        }
    }

    private static func context(_ certificate: String, _ key: String) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(try FileReader.read(certificate))
        let key = try NIOSSLPrivateKey(bytes: try FileReader.read(key), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        return try NIOSSLContext(configuration: configuration)
    }

    private static func token(_ path: String) throws -> [UInt8] {
        let text = String(decoding: try FileReader.read(path), as: UTF8.self)
        let token = text.split(whereSeparator: \.isWhitespace).joined()
        guard !token.isEmpty else { throw KubeError(.credentials, "\(path) is empty") }
        return Array(token.utf8)
    }

    /// Whether it speaks TLS.
    public var isEncrypted: Bool { tls != nil }

    /// Begins a connection.
    func protect(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.value)) }
    }

    /// What who asks has: a bearer token, or the password that a browser asks its user for.
    private static func token(_ authorization: String) -> [UInt8]? {
        let words = authorization.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return Array(words[1].utf8)
        case "basic":
            guard let pair = Data(base64Encoded: String(words[1])),
                let colon = pair.firstIndex(of: UInt8(ascii: ":"))
            else { return nil }
            return Array(pair[(colon + 1)...])
        default: return nil
        }
    }

    /// Whether who asks may have the answer.
    func admits(_ request: HTTPRequest) -> Bool {
        guard let token else { return true }
        if let endpoint = request.path.split(separator: "/").first,
            Self.open.contains(String(endpoint))
        {
            return true
        }
        guard let given = Self.token(request.authorization) else { return false }
        let wanted = token.value
        // Every byte is looked at: how long it takes says nothing.
        var difference = UInt8(given.count == wanted.count ? 0 : 1)
        for (index, byte) in given.enumerated() {
            difference |= byte ^ wanted[index % wanted.count]
        }
        return difference == 0
    }
}
