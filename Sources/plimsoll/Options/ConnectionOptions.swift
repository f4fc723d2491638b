import ArgumentParser
import KubeClient

/// Which cluster and as whom, with kubectl's names.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.customLong("kubeconfig"), .customLong("config")],
        help: ArgumentHelp(
            "A kubeconfig. Else KUBECONFIG, ~/.kube/config, or the pod's service account.",
            valueName: "file"),
        completion: .file())
    var kubeconfig: String?

    @OptionGroup var details: ConnectionDetails

    var contexts: [String] { details.contexts }

    func client(_ limits: DecodingLimits = DecodingLimits()) throws(KubeError) -> KubeClient {
        try details.client(kubeconfig, limits)
    }

    /// A client for each context that is named, or for the current one.
    func clients(_ limits: DecodingLimits) throws(KubeError) -> [KubeClient] {
        guard Set(contexts).count == contexts.count else {
            throw KubeError(.configuration, "--context names the same context twice")
        }
        if contexts.isEmpty { return [try details.client(kubeconfig, of: nil, limits)] }
        var clients: [KubeClient] = []
        for context in contexts {
            clients.append(try details.client(kubeconfig, of: context, limits))
        }
        return clients
    }
}

/// The same but for the kubeconfig: `run` has another meaning for `--config`.
struct ConnectionDetails: ParsableArguments {
    @Option(
        name: .customLong("context"),
        help: ArgumentHelp(
            "A context of the kubeconfig; `watch` takes several, one after the other.",
            valueName: "name"))
    var contexts: [String] = []

    @Option(help: ArgumentHelp("A cluster of the kubeconfig.", valueName: "name"))
    var cluster: String?

    @Option(help: ArgumentHelp("A user of the kubeconfig.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("The API server's address.", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("A bearer token.", valueName: "token"))
    var token: String?

    @Option(help: ArgumentHelp("The name the server's certificate is for.", valueName: "name"))
    var tlsServerName: String?

    @Flag(
        name: .customLong("insecure-skip-tls-verify"),
        help: "Accept any server certificate. Whoever is in between can read and change all.")
    var insecureSkipTLSVerify = false

    @Option(
        help: ArgumentHelp("Who signed the server's certificate.", valueName: "file"),
        completion: .file())
    var certificateAuthority: String?

    @Option(help: ArgumentHelp("Our certificate.", valueName: "file"), completion: .file())
    var clientCertificate: String?

    @Option(help: ArgumentHelp("Our certificate's key.", valueName: "file"), completion: .file())
    var clientKey: String?

    @Option(
        name: .customLong("proxy-url"),
        help: ArgumentHelp("An http, https or socks5 proxy.", valueName: "url"))
    var proxyURL: String?

    @Option(
        name: .customLong("as"), help: ArgumentHelp("Act as this user.", valueName: "user"))
    var impersonatedUser: String?

    @Option(
        name: .customLong("as-uid"), help: ArgumentHelp("Act with this uid.", valueName: "uid"))
    var impersonatedUID: String?

    @Option(
        name: .customLong("as-group"),
        help: ArgumentHelp("Act in this group; may be repeated.", valueName: "group"))
    var impersonatedGroups: [String] = []

    @Option(
        help: ArgumentHelp(
            "How long one request may take: 10s, 1m; 0: as long as it takes. A watch that has been "
                + "answered goes on.", valueName: "time"))
    var requestTimeout = TimeoutArgument(duration: .seconds(30))

    @Option(
        help: ArgumentHelp(
            "Make a new connection for the next request or watch when one is older: 10m, 2h. Else it is "
                + "used as long as it works.", valueName: "time"))
    var maxConnectionAge: DurationArgument?

    @Flag(
        name: .customLong("http2"),
        help: "Speak HTTP/2 where the server offers it.")
    var speaksHTTP2 = false

    @Flag(name: .shortAndLong, help: "Say on standard error what is asked of the server.")
    var verbose = false

    func client(
        _ kubeconfig: String?, _ limits: DecodingLimits
    ) throws(KubeError) -> KubeClient {
        guard contexts.count <= 1 else {
            throw KubeError(
                .configuration,
                "--context is given \(contexts.count) times; only `watch` takes several")
        }
        return try client(kubeconfig, of: contexts.first, limits)
    }

    func client(
        _ kubeconfig: String?, of context: String?, _ limits: DecodingLimits
    ) throws(KubeError) -> KubeClient {
        var overrides = KubeConfigurationOverrides()
        overrides.context = context
        overrides.cluster = cluster
        overrides.user = user
        overrides.server = server
        overrides.token = token
        overrides.tlsServerName = tlsServerName
        overrides.skipsVerification = insecureSkipTLSVerify
        overrides.certificateAuthority = certificateAuthority
        overrides.clientCertificate = clientCertificate
        overrides.clientKey = clientKey
        overrides.proxyURL = proxyURL
        overrides.impersonatedUser = impersonatedUser
        overrides.impersonatedUID = impersonatedUID
        overrides.impersonatedGroups = impersonatedGroups
        let configuration = try KubeConfiguration.load(
            kubeconfig.map { .file($0) } ?? .automatic, overrides: overrides)
        return KubeClient(
            configuration, userAgent: Version.userAgent,
            limits: limits, requestTimeout: requestTimeout.duration,
            maxConnectionAge: maxConnectionAge?.duration, http2: speaksHTTP2,
            trace: verbose ? Self.tell : nil)
    }

    @Sendable private static func tell(_ trace: KubeTrace) {
        Talk.say("\(Terminal.time)  \(trace)")
    }
}
