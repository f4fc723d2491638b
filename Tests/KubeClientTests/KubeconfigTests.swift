import Foundation
import KubeClient
import TestSupport
import Testing

/// A kubeconfig with these lines for its cluster and user.
private func config(cluster: String = "server: https://h:6443", user: String = "token: t") -> String
{
    func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    }
    return """
        apiVersion: v1
        kind: Config
        current-context: main
        clusters:
        - name: c
          cluster:
        \(indented(cluster))
        users:
        - name: u
          user:
        \(indented(user))
        contexts:
        - name: main
          context: {cluster: c, user: u}
        - name: other
          context: {cluster: nowhere, user: u}
        """
}

extension KubeClient {
    /// The token it would send now.
    fileprivate func token() throws -> String { try access { false }.token }
}

extension KubeConfigurationOverrides {
    /// Only another context.
    fileprivate static func context(_ name: String?) -> KubeConfigurationOverrides {
        var overrides = KubeConfigurationOverrides()
        overrides.context = name
        return overrides
    }
}

@Suite("Kubeconfig")
struct KubeconfigTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func load(_ text: String, context: String? = nil) throws -> KubeConfiguration {
        try load(text, KubeConfigurationOverrides.context(context))
    }

    private func load(
        _ text: String, _ overrides: KubeConfigurationOverrides
    ) throws -> KubeConfiguration {
        try KubeConfiguration.load(.file(try folder.write("config", text)), overrides: overrides)
    }

    private func message(_ text: String, context: String? = nil) throws -> String {
        do {
            _ = try load(text, context: context)
            return "no error"
        } catch let error as KubeError {
            return error.message.replacingOccurrences(of: folder.path + "/", with: "")
        }
    }

    @Test func `reads YAML and JSON`() throws {
        let configuration = try load(config())
        #expect(configuration.contextName == "main")
        #expect(configuration.server == "https://h:6443")
        #expect(try KubeClient(configuration).token() == "t")
        let json = #"""
            {"clusters":[{"name":"c","cluster":{"server":"https://j/"}}],"contexts":[{"name":"x",
            "context":{"cluster":"c","user":"u"}}],"current-context":"x","users":[{"name":"u",
            "user":{"token":"\u0041"}}]}
            """#
        #expect(try load(json).server == "https://j")
        #expect(try KubeClient(try load(json)).token() == "A")
    }

    @Test(arguments: [String.Encoding.utf8, .utf16LittleEndian, .utf16BigEndian])
    func `reads UTF-8 and UTF-16 with a byte order mark`(encoding: String.Encoding) throws {
        let text = "\u{feff}" + config(user: "token: gehäuse")
        let file = folder.path + "/encoded"
        try #require(text.data(using: encoding)).write(to: URL(filePath: file))
        let client = KubeClient(try KubeConfiguration.load(.file(file)))
        #expect(try client.token() == "gehäuse")
    }

    @Test func `takes several documents in one file for several files, the first winning`() throws {
        let first = config(user: "token: one").replacing("current-context: main", with: "")
        let text = "---\n\(first)\n---\n\(config(user: "token: two"))\n---\n"
        let configuration = try load(text)
        #expect(configuration.contextName == "main")
        #expect(try KubeClient(configuration).token() == "one")
        let broken = try message(first + "\n---\n- a list\n")
        #expect(broken == "config: not a kubeconfig: expected keys like `clusters`")
    }

    @Test func `finds files relative to the kubeconfig, and reads a token file each time`() throws {
        let file = try folder.write("token", " one \n")
        let client = KubeClient(try load(config(user: "tokenFile: token")))
        #expect(try client.token() == "one")
        try "two".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try client.token() == "two")
        try "".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(throws: KubeError.self) { try client.token() }
    }

    @Test func `never sends a token in the clear`() throws {
        let client = KubeClient(
            try load(config(cluster: "server: http://h", user: "token: hush")))
        #expect(try client.token() == "")
        #expect("\(client.configuration)" == "context main, server http://h, token")
    }

    @Test func `takes no password in a server's address, and does not repeat it`() throws {
        let error = #expect(throws: KubeError.self) {
            try load(config(cluster: "server: https://me:hush@h"))
        }
        #expect(error?.message.contains("holds a user name or password") == true)
        #expect(error?.message.contains("hush") == false)
    }

    @Test(arguments: [
        ("clusters: [", "config, line 2: did not find expected node content"),
        ("a: &x 1", "config, line 1: anchors and aliases are not supported"),
        ("just text", "config: not a kubeconfig: expected keys like `clusters`"),
        ("kind: Pod\nmetadata: {}", "config: not a kubeconfig: its kind is Pod, not Config"),
        ("clusters: 5", "config, line 1: `clusters` must be a list"),
        ("clusters:\n- cluster: {}", "config, line 2: an entry of `clusters` has no `name`"),
        ("{}", "config: no current-context; choose one with --context"),
    ])
    func `says what is malformed and where`(text: String, expected: String) throws {
        #expect(try message(text).hasPrefix(expected))
    }

    @Test func `says what does not exist or cannot be used`() throws {
        #expect(
            try message(config(), context: "prod")
                == "config: context \"prod\" does not exist; there is main, other")
        #expect(
            try message(config(), context: "other")
                == "config: cluster \"nowhere\" of context \"other\" does not exist")
        #expect(try message(config(cluster: "x: y")) == "config: cluster \"c\" has no `server`")
        #expect(
            try message(config(cluster: "server: h:6443")).contains(
                "must begin with https:// or http://"))
        #expect(
            try message(config(cluster: "server: https://h\ncertificate-authority-data: '%'"))
                .contains("`certificate-authority-data` of cluster \"c\" is not base64"))
        #expect(
            try message(config(user: "client-certificate: a.pem"))
                == "config: user \"u\" has a client certificate but no client key")
        #expect(
            try message(config(user: "username: me")).contains(
                "line 11: `username` of user \"u\": kube-apiservers take no passwords"))
        #expect(
            try message(config(user: "auth-provider: {name: gcp}")).contains(
                "use the provider's exec plugin"))
        #expect(
            try message(
                config(
                    cluster: "server: https://h\ninsecure-skip-tls-verify: true\n"
                        + "certificate-authority: x")
            ).contains("remove one"))
    }

    @Test func `names the file that is missing`() throws {
        #expect {
            try KubeConfiguration.load(.file("/nowhere/config"))
        } throws: { error in
            "\(error)" == "cannot open /nowhere/config: No such file or directory"
        }
        let client = KubeClient(
            try load(
                config(
                    cluster: "server: https://h\ncertificate-authority: ca.pem")))
        #expect {
            _ = try client.access { false }
        } throws: { error in
            "\(error)".hasPrefix("certificate-authority: cannot open \(folder.path)/ca.pem")
        }
    }

    @Test func `merges the files of KUBECONFIG, the first winning, and skips missing ones`() throws
    {
        let first = try folder.write("a", config(cluster: "server: https://first"))
        let second = try folder.write(
            "b",
            """
            current-context: never
            clusters: [{name: c, cluster: {server: 'https://second'}},
                       {name: d, cluster: {server: 'https://d'}}]
            contexts: [{name: second, context: {cluster: d, user: u}}]
            """)
        let environment = ["KUBECONFIG": "/nowhere:\(first):\(second)"]
        let main = try KubeConfiguration.load(.automatic, environment: environment)
        #expect(main.server == "https://first")
        let other = try KubeConfiguration.load(
            .automatic, .context("second"), environment: environment)
        #expect(other.server == "https://d")
    }

    @Test func `falls back to the pod it runs in, or says how to name a file`() throws {
        let pod = [
            "HOME": "/nowhere", "KUBERNETES_SERVICE_HOST": "fd00::1",
            "KUBERNETES_SERVICE_PORT": "443",
        ]
        let configuration = try KubeConfiguration.load(.automatic, environment: pod)
        #expect(configuration.server == "https://[fd00::1]:443")
        #expect {
            try KubeConfiguration.load(.automatic, environment: ["HOME": "/nowhere"])
        } throws: { "\($0)".contains("name one with --kubeconfig FILE or KUBECONFIG") }
    }

    @Test func `lets flags win over files`() throws {
        var overrides = KubeConfigurationOverrides()
        overrides.server = "https://other:1/"
        overrides.token = "flag"
        let client = KubeClient(
            try load(config(cluster: "server: https://h\ntls-server-name: x"), overrides))
        #expect(client.configuration.server == "https://other:1")
        #expect(try client.token() == "flag")
        // A server alone is enough.
        let alone = try KubeConfiguration.load(
            .automatic, overrides, environment: ["HOME": "/nowhere"])
        #expect(alone.server == "https://other:1")
    }

    @Test func `refuses flags and fields that contradict each other`() throws {
        func message(_ change: (inout KubeConfigurationOverrides) -> Void) -> String {
            var overrides = KubeConfigurationOverrides()
            change(&overrides)
            do {
                _ = try load(config(), overrides)
                return "no error"
            } catch {
                return "\(error)"
            }
        }
        #expect(message { $0.server = "other:1" }.hasPrefix("--server must begin with https://"))
        #expect(
            message { $0.clientKey = "k" } == "--client-certificate and --client-key go together")
        #expect(message { $0.impersonatedGroups = ["g"] }.contains("without a user to act as"))
        #expect(
            message { $0.proxyURL = "ftp://p" }
                == "--proxy-url: scheme \"ftp\" must be http, https or socks5")
        #expect(
            message {
                $0.skipsVerification = true
                $0.certificateAuthority = "ca"
            }.contains("exclude each other"))
        #expect(
            try self.message(config(cluster: "server: https://h\nproxy-url: socks4://p")).contains(
                "line 8: `proxy-url` of cluster \"c\": scheme \"socks4\""))
    }

    @Test(arguments: [
        ("https://h:6443", ["HTTPS_PROXY": "http://p:1"], "http://p:1"),
        ("https://h:6443", ["https_proxy": "p:1"], "http://p:1"),
        ("https://h:6443", ["HTTP_PROXY": "http://p:1"], ""),
        ("http://h", ["HTTP_PROXY": "socks5://me:pw@p"], "socks5://me:pw@p:1080"),
        ("https://127.0.0.1:6443", ["HTTPS_PROXY": "http://p:1"], ""),
        ("https://[::1]:6443", ["HTTPS_PROXY": "http://p:1"], ""),
        ("https://10.1.2.3:6443", ["HTTPS_PROXY": "p", "NO_PROXY": "10.0.0.0/8"], ""),
        ("https://11.1.2.3:6443", ["HTTPS_PROXY": "p", "NO_PROXY": "10.0.0.0/8"], "http://p:80"),
        ("https://10.31.0.1", ["HTTPS_PROXY": "p", "NO_PROXY": "x, 10.16.0.0/12"], ""),
        ("https://10.32.0.1", ["HTTPS_PROXY": "p", "NO_PROXY": "x, 10.16.0.0/12"], "http://p:80"),
        ("https://[fd00::7]:6443", ["HTTPS_PROXY": "p", "no_proxy": "fd00::/8"], ""),
        ("https://[fe00::7]:6443", ["HTTPS_PROXY": "p", "no_proxy": "fd00::/8"], "http://p:80"),
        ("https://a.corp.example", ["HTTPS_PROXY": "p", "NO_PROXY": "Corp.example"], ""),
        ("https://acorp.example", ["HTTPS_PROXY": "p", "NO_PROXY": "corp.example"], "http://p:80"),
        ("https://corp.example", ["HTTPS_PROXY": "p", "NO_PROXY": ".corp.example"], "http://p:80"),
        ("https://h:6443", ["HTTPS_PROXY": "p", "NO_PROXY": "h:443"], "http://p:80"),
        ("https://h:6443", ["HTTPS_PROXY": "p", "NO_PROXY": "h:6443"], ""),
        ("https://h:6443", ["HTTPS_PROXY": "p", "NO_PROXY": "*"], ""),
    ])
    func `asks the environment for a proxy as kubectl does`(
        server: String, environment: [String: String], expected: String
    ) throws {
        let file = try folder.write("config", config(cluster: "server: \"\(server)\""))
        let configuration = try KubeConfiguration.load(.file(file), environment: environment)
        #expect(configuration.proxy == expected)
    }
}
