import FoundationEssentials

/// Where a cluster is and who we are there.
///
/// Holds secrets; its description does not.
public struct KubeConfiguration: Sendable {
    /// Where to look.
    public enum Source: Sendable, Hashable {
        /// As kubectl: the files named by `KUBECONFIG`, else `~/.kube/config`, else the service
        /// account of the pod we run in.
        case automatic
        /// A kubeconfig file, YAML or JSON. It must exist.
        case file(String)
        /// The service account of the pod we run in.
        case inCluster
    }

    /// The context's name; "in-cluster" for a service account.
    public var contextName: String
    /// "https://host:port", possibly with a path.
    public var server: String

    var authority: PEMSource?
    var certificate: PEMSource?
    var key: PEMSource?
    var token: String?
    var tokenFile: String?
    var skipsVerification = false

    /// Where a pod finds its service account.
    static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Finds and reads a configuration.
    ///
    /// - Parameters:
    ///   - source: Where to look.
    ///   - context: Name of a context; nil for the current one.
    /// - Throws: `configuration`, `file`: with file, line and the way out.
    public static func load(
        _ source: Source = .automatic, context: String? = nil
    ) throws(KubeError) -> KubeConfiguration {
        try load(source, context: context, environment: ProcessInfo.processInfo.environment)
    }

    package static func load(
        _ source: Source, context: String?, environment: [String: String]
    ) throws(KubeError) -> KubeConfiguration {
        switch source {
        case .file(let path):
            return try KubeConfiguration(try Kubeconfig([path]), context: context)
        case .inCluster: return try inCluster(environment)
        case .automatic: break
        }
        let list = environment["KUBECONFIG"] ?? ""
        var files = list.split(separator: ":").map(String.init)
        if files.isEmpty { files = [(environment["HOME"] ?? "") + "/.kube/config"] }
        let present = files.filter { FileManager.default.fileExists(atPath: $0) }
        if present.isEmpty {
            if context == nil, environment["KUBERNETES_SERVICE_HOST"] != nil {
                return try inCluster(environment)
            }
            throw Kubeconfig.invalid(
                "no kubeconfig: \(files.joined(separator: ", ")) not found and not in a pod; "
                    + "name one with --kubeconfig FILE or KUBECONFIG")
        }
        return try KubeConfiguration(try Kubeconfig(present), context: context)
    }

    private static func inCluster(
        _ environment: [String: String]
    ) throws(KubeError) -> KubeConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"],
            let port = environment["KUBERNETES_SERVICE_PORT"], !host.isEmpty, !port.isEmpty
        else {
            throw Kubeconfig.invalid(
                "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set")
        }
        var configuration = KubeConfiguration(
            contextName: "in-cluster",
            server: "https://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)")
        configuration.authority = .file(serviceAccountFolder + "/ca.crt")
        configuration.tokenFile = serviceAccountFolder + "/token"
        return configuration
    }

    private init(contextName: String, server: String) {
        self.contextName = contextName
        self.server = server
    }

    private init(_ config: Kubeconfig, context wanted: String?) throws(KubeError) {
        let (name, context) = try config.context(wanted)
        guard let clusterName = context.value["cluster"]?.string else {
            throw Kubeconfig.invalid("\(context.file): context \"\(name)\" names no cluster")
        }
        let cluster = try config.cluster(clusterName, context: name)
        guard let server = cluster.value["server"]?.string, !server.isEmpty else {
            throw Kubeconfig.invalid("\(cluster.file): cluster \"\(clusterName)\" has no `server`")
        }
        guard server.hasPrefix("https://") || server.hasPrefix("http://") else {
            throw Kubeconfig.invalid(
                "\(cluster.file): `server` of cluster \"\(clusterName)\" must begin with https:// "
                    + "or http://, not \"\(server)\"")
        }
        contextName = name
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        authority = try cluster.pem("certificate-authority", what: "cluster \"\(clusterName)\"")
        skipsVerification = try Self.flag("insecure-skip-tls-verify", cluster)
        for key in ["proxy-url", "tls-server-name"] where cluster.value[key] != nil {
            throw Self.unsupported(key, "cluster \"\(clusterName)\"", cluster)
        }
        if skipsVerification, authority != nil {
            throw Kubeconfig.invalid(
                "\(cluster.file): cluster \"\(clusterName)\" has both a certificate-authority and "
                    + "insecure-skip-tls-verify; remove one")
        }
        guard let userName = context.value["user"]?.string, !userName.isEmpty else { return }
        try readUser(try config.user(userName, context: name), userName)
    }

    private mutating func readUser(
        _ user: Kubeconfig.Entry, _ name: String
    ) throws(KubeError) {
        let what = "user \"\(name)\""
        for key in ["exec", "auth-provider", "username", "as"] where user.value[key] != nil {
            throw Self.unsupported(key, what, user)
        }
        token = user.value["token"]?.string
        tokenFile = user.path("tokenFile")
        certificate = try user.pem("client-certificate", what: what)
        key = try user.pem("client-key", what: what)
        if (certificate == nil) != (key == nil) {
            throw Kubeconfig.invalid(
                "\(user.file): \(what) has a client \(certificate == nil ? "key" : "certificate") "
                    + "but no client \(certificate == nil ? "certificate" : "key")")
        }
    }

    private static func flag(
        _ key: String, _ entry: Kubeconfig.Entry
    ) throws(KubeError) -> Bool {
        guard let value = entry.value[key] else { return false }
        guard let flag = value.bool else {
            throw Kubeconfig.invalid(
                "\(entry.file), line \(value.line): `\(key)` must be true or false")
        }
        return flag
    }

    private static func unsupported(
        _ key: String, _ what: String, _ entry: Kubeconfig.Entry
    ) -> KubeError {
        Kubeconfig.invalid(
            "\(entry.file), line \(entry.value[key]?.line ?? 0): `\(key)` of \(what) is not "
                + "supported yet; use a token, a tokenFile or a client certificate")
    }
}

extension KubeConfiguration: CustomStringConvertible {
    /// Context and server.
    public var description: String { "\(contextName) (\(server))" }
}
