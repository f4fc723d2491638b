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
    /// The context's namespace, or the pod's; nil where none is given.
    public var namespace: String?
    /// "https://host:port", possibly with a path.
    public var server: String

    var authority: PEMSource?
    var certificate: PEMSource?
    var key: PEMSource?
    var token: String?
    var tokenFile: String?
    var skipsVerification = false
    var tlsServerName: String?
    /// "": no proxy. Nil until the environment was asked.
    var proxyURL: String?
    var impersonation = Impersonation()
    /// How long an exec plugin may take that asks no questions. One that may has 5 minutes.
    public var execTimeout = Duration.seconds(60)
    /// Asked where there is no other credential.
    var exec: ExecPlugin?

    /// What tells the cluster from others, where it has no name: its server's address and authority.
    package var clusterIdentity: String {
        let pem = (try? authority?.read("certificate-authority")) ?? []
        let hash = pem.withUnsafeBytes { FNV1a.hash($0) }
        return "\(server), authority \(String(hash, radix: 16))"
    }

    /// Where a pod finds its service account.
    static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Finds and reads a configuration.
    ///
    /// - Parameters:
    ///   - source: Where to look.
    ///   - overrides: What takes the place of parts of it.
    /// - Throws: `configuration`, `file`: with file, line and the way out.
    public static func load(
        _ source: Source = .automatic, overrides: KubeConfigurationOverrides = .init()
    ) throws(KubeError) -> KubeConfiguration {
        try load(source, overrides, environment: ProcessInfo.processInfo.environment)
    }

    package static func load(
        _ source: Source, _ overrides: KubeConfigurationOverrides = .init(),
        environment: [String: String]
    ) throws(KubeError) -> KubeConfiguration {
        var configuration = try find(source, overrides, environment)
        try configuration.override(overrides)
        if configuration.proxyURL == nil {
            configuration.proxyURL = ProxyEnvironment(variables: environment)
                .proxyURL(for: configuration.server)
        }
        configuration.proxyURL = configuration.proxyURL.map(ProxyEnvironment.withPort)
        return configuration
    }

    private static func find(
        _ source: Source, _ overrides: KubeConfigurationOverrides, _ environment: [String: String]
    ) throws(KubeError) -> KubeConfiguration {
        switch source {
        case .file(let path):
            return try KubeConfiguration(try Kubeconfig([path]), overrides)
        case .inCluster: return try inCluster(environment)
        case .automatic: break
        }
        let list = environment["KUBECONFIG"] ?? ""
        var files = list.split(separator: ":").map(String.init)
        if files.isEmpty { files = [(environment["HOME"] ?? "") + "/.kube/config"] }
        let present = files.filter { FileManager.default.fileExists(atPath: $0) }
        if present.isEmpty {
            if let server = overrides.server {
                return KubeConfiguration(contextName: server, server: server)
            }
            if overrides.context == nil, environment["KUBERNETES_SERVICE_HOST"] != nil {
                return try inCluster(environment)
            }
            throw Kubeconfig.invalid(
                "no kubeconfig: \(files.joined(separator: ", ")) not found and not in a pod; "
                    + "name one with --kubeconfig FILE or KUBECONFIG")
        }
        return try KubeConfiguration(try Kubeconfig(present), overrides)
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
        configuration.namespace = (try? FileReader.read(serviceAccountFolder + "/namespace"))
            .map { String(decoding: $0, as: UTF8.self) }.flatMap { $0.isEmpty ? nil : $0 }
        return configuration
    }

    private init(contextName: String, server: String) {
        self.contextName = contextName
        self.server = Self.withoutSlash(server)
    }

    private init(
        _ config: Kubeconfig, _ overrides: KubeConfigurationOverrides
    ) throws(KubeError) {
        let (name, context) = try config.context(overrides.context)
        guard let clusterName = overrides.cluster ?? context.value["cluster"]?.string else {
            throw Kubeconfig.invalid("\(context.file): context \"\(name)\" names no cluster")
        }
        let cluster = try config.cluster(clusterName, context: name)
        guard let server = overrides.server ?? cluster.value["server"]?.string, !server.isEmpty
        else {
            throw Kubeconfig.invalid("\(cluster.file): cluster \"\(clusterName)\" has no `server`")
        }
        // A flag is checked where flags are.
        if overrides.server == nil {
            try Self.check(server, "\(cluster.file): `server` of cluster \"\(clusterName)\"")
        }
        self.init(contextName: name, server: server)
        namespace = context.value["namespace"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        try readCluster(cluster, clusterName)
        guard let userName = overrides.user ?? context.value["user"]?.string, !userName.isEmpty
        else { return }
        let user = try config.user(userName, context: name)
        try readUser(user, userName)
        // As client-go: a plugin is for users without another credential.
        guard let exec = user.value["exec"], token == nil, tokenFile == nil, certificate == nil
        else { return }
        self.exec = try ExecPlugin(
            exec, user, user: userName,
            // It holds the authority's file: not read for a plugin that does not want it.
            clusterInfo: exec["provideClusterInfo"]?.bool == true
                ? try clusterInfo(cluster, clusterName) : nil)
    }

    /// What a plugin may want to know of the cluster.
    private func clusterInfo(
        _ cluster: Kubeconfig.Entry, _ name: String
    ) throws(KubeError) -> String {
        var parts = ["\"server\":\(JSONString.quoted(server))"]
        if let tlsServerName {
            parts.append("\"tls-server-name\":\(JSONString.quoted(tlsServerName))")
        }
        if skipsVerification { parts.append("\"insecure-skip-tls-verify\":true") }
        if let authority = try authority?.read("certificate-authority of cluster \"\(name)\"") {
            let data = Data(authority).base64EncodedString()
            parts.append("\"certificate-authority-data\":\"\(data)\"")
        }
        if let proxy = cluster.value["proxy-url"]?.string {
            parts.append("\"proxy-url\":\(JSONString.quoted(proxy))")
        }
        for extension_ in cluster.value["extensions"]?.elements ?? []
        where extension_["name"]?.string == "\(ExecPlugin.group)/exec" {
            if let config = extension_["extension"] { parts.append("\"config\":\(config.json)") }
        }
        return "{" + parts.joined(separator: ",") + "}"
    }

    private static func check(_ server: String, _ what: String) throws(KubeError) {
        guard server.hasPrefix("https://") || server.hasPrefix("http://") else {
            throw Kubeconfig.invalid(
                "\(what) must begin with https:// or http://, not \"\(server)\"")
        }
        guard !ProxyEnvironment.authority(of: server).contains("@") else {
            // Not repeated: it holds a password.
            throw Kubeconfig.invalid(
                "\(what) holds a user name or password, which API servers do not take; credentials "
                    + "belong to the user")
        }
    }

    private mutating func readCluster(
        _ cluster: Kubeconfig.Entry, _ name: String
    ) throws(KubeError) {
        authority = try cluster.pem("certificate-authority", what: "cluster \"\(name)\"")
        skipsVerification = try Self.flag("insecure-skip-tls-verify", cluster)
        tlsServerName = cluster.value["tls-server-name"]?.string
        if let proxy = cluster.value["proxy-url"] {
            proxyURL = try Self.proxy(
                proxy.string ?? "",
                "\(cluster.file), line \(proxy.line): `proxy-url` of cluster \"\(name)\"")
        }
        if skipsVerification, authority != nil {
            throw Kubeconfig.invalid(
                "\(cluster.file): cluster \"\(name)\" has both a certificate-authority and "
                    + "insecure-skip-tls-verify; remove one")
        }
    }

    private mutating func readUser(
        _ user: Kubeconfig.Entry, _ name: String
    ) throws(KubeError) {
        let what = "user \"\(name)\""
        if let provider = user.value["auth-provider"] {
            throw Kubeconfig.invalid(
                "\(user.file), line \(provider.line): `auth-provider` of \(what) has been removed from "
                    + "Kubernetes; use the provider's exec plugin (gke-gcloud-auth-plugin, kubelogin)"
            )
        }
        if let name = user.value["username"] {
            throw Kubeconfig.invalid(
                "\(user.file), line \(name.line): `username` of \(what): kube-apiservers take no "
                    + "passwords any more; use a token, a client certificate or an exec plugin")
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
        impersonation = Impersonation(
            user: user.value["as"]?.string, uid: user.value["as-uid"]?.string,
            groups: user.value["as-groups"]?.elements?.compactMap(\.string) ?? [],
            extra: (user.value["as-user-extra"]?.pairs ?? []).reduce(into: [:]) {
                $0[$1.key] = $1.value.elements?.compactMap(\.string) ?? []
            })
        try checkImpersonation("\(user.file): \(what)")
    }

    private func checkImpersonation(_ what: String) throws(KubeError) {
        if impersonation.user == nil, !impersonation.isEmpty {
            throw Kubeconfig.invalid(
                "\(what) asks for a uid, groups or extra fields without a user to act as")
        }
    }

    /// Flags win over files.
    private mutating func override(_ overrides: KubeConfigurationOverrides) throws(KubeError) {
        if let server = overrides.server {
            try Self.check(server, "--server")
            self.server = Self.withoutSlash(server)
            tlsServerName = nil
        }
        if let name = overrides.tlsServerName { tlsServerName = name }
        if let file = overrides.certificateAuthority { authority = .file(file) }
        if overrides.skipsVerification {
            guard overrides.certificateAuthority == nil else {
                throw Kubeconfig.invalid(
                    "--certificate-authority and --insecure-skip-tls-verify exclude each other")
            }
            skipsVerification = true
            authority = nil
        }
        if (overrides.clientCertificate == nil) != (overrides.clientKey == nil) {
            throw Kubeconfig.invalid("--client-certificate and --client-key go together")
        }
        if let certificateFile = overrides.clientCertificate, let keyFile = overrides.clientKey {
            certificate = .file(certificateFile)
            key = .file(keyFile)
            exec = nil
        }
        if let token = overrides.token {
            self.token = token
            tokenFile = nil
            exec = nil
        }
        if let proxy = overrides.proxyURL { proxyURL = try Self.proxy(proxy, "--proxy-url") }
        if let user = overrides.impersonatedUser { impersonation.user = user }
        if let uid = overrides.impersonatedUID { impersonation.uid = uid }
        if !overrides.impersonatedGroups.isEmpty {
            impersonation.groups = overrides.impersonatedGroups
        }
        try checkImpersonation("--as-uid or --as-group")
    }

    /// A proxy as libcurl takes it. As in client-go, a socks5 proxy resolves the name.
    private static func proxy(_ url: String, _ what: String) throws(KubeError) -> String {
        if url.hasPrefix("socks5://") { return "socks5h://" + url.dropFirst(9) }
        if url.hasPrefix("http://") || url.hasPrefix("https://") { return url }
        let scheme = url.split(separator: ":").first.map(String.init) ?? ""
        throw Kubeconfig.invalid("\(what): scheme \"\(scheme)\" must be http, https or socks5")
    }

    private static func withoutSlash(_ server: String) -> String {
        server.hasSuffix("/") ? String(server.dropLast()) : server
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
}
