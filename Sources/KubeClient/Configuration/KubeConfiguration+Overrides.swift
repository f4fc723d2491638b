/// What takes the place of parts of a kubeconfig: kubectl's flags of the same names.
public struct KubeConfigurationOverrides: Sendable {
    /// A context instead of the current one.
    public var context: String?
    /// A cluster instead of the context's.
    public var cluster: String?
    /// A user instead of the context's.
    public var user: String?
    /// A server instead of the cluster's. The cluster's TLS server name does not apply to it.
    public var server: String?
    /// A bearer token instead of all other credentials.
    public var token: String?
    /// The name the server's certificate is for.
    public var tlsServerName: String?
    /// Accept any certificate; the cluster's authority is left aside.
    public var skipsVerification = false
    /// A file with the authority that signed the server's certificate.
    public var certificateAuthority: String?
    /// A file with our certificate.
    public var clientCertificate: String?
    /// A file with its key.
    public var clientKey: String?
    /// http, https or socks5 proxy.
    public var proxyURL: String?
    /// Act as this user.
    public var impersonatedUser: String?
    /// With this uid.
    public var impersonatedUID: String?
    /// In these groups.
    public var impersonatedGroups: [String] = []

    /// None.
    public init() {}
}

/// Who we act as, if not as ourselves
/// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation).
struct Impersonation: Sendable, Hashable {
    var user: String?
    var uid: String?
    var groups: [String] = []
    var extra: [String: [String]] = [:]

    var isEmpty: Bool { user == nil && uid == nil && groups.isEmpty && extra.isEmpty }

    /// Header lines, in a fixed order.
    var headerLines: [String] {
        var lines: [String] = []
        if let user { lines.append("Impersonate-User: \(user)") }
        if let uid { lines.append("Impersonate-Uid: \(uid)") }
        lines += groups.map { "Impersonate-Group: \($0)" }
        for (key, values) in extra.sorted(by: { $0.key < $1.key }) {
            lines += values.map { "Impersonate-Extra-\(Self.escaped(key)): \($0)" }
        }
        return lines
    }

    /// Keys become parts of header names: lower case, and other than token characters in percent.
    private static func escaped(_ key: String) -> String {
        PercentEncoding.encoded(key.lowercased(), butNot: "!#$&'*+-.^_`|~")
    }
}
