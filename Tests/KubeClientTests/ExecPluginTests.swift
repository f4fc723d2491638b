import Foundation
import KubeClient
import TestSupport
import Testing

/// A plugin that is a shell script beside its kubeconfig.
private final class Plugin {
    private let folder: TemporaryFolder

    init(_ script: String) throws {
        folder = try TemporaryFolder()
        let file = try folder.write(
            "plugin", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho run >> runs\n\(script)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }

    /// How often it ran.
    var runs: Int { read("runs").split(separator: "\n").count }

    func read(_ name: String) -> String { folder.read(name) }

    func client(
        _ fields: String = "interactiveMode: Never", command: String = "./plugin",
        version: String = "v1", timeout: Duration = Patience.limit
    ) throws -> KubeClient {
        let text = """
            current-context: x
            clusters:
            - name: c
              cluster:
                server: https://h:1
                certificate-authority-data: Q0E=
                extensions:
                - name: client.authentication.k8s.io/exec
                  extension: {audience: "a b", count: 5, nested: [true, null, '5']}
            users:
            - name: u
              user:
                exec:
                  apiVersion: client.authentication.k8s.io/\(version)
                  command: \(command)
                  args: [get, "a b"]
                  env: [{name: REGION, value: eu 1}]
            \(fields.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))
            contexts: [{name: x, context: {cluster: c, user: u}}]
            """
        var configuration = try KubeConfiguration.load(.file(try folder.write("config", text)))
        configuration.execTimeout = timeout
        return KubeClient(configuration)
    }
}

/// An answer in JSON.
private func answer(_ status: String, version: String = "v1") -> String {
    """
    echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/\(version)",\
    "status":{\(status)}}'
    """
}

private func message(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return "no error"
    } catch {
        return "\(error)"
    }
}

extension KubeClient {
    /// Asks for access on a thread of its own, for that may block, and tests' threads must not.
    fileprivate func accessOnThread(
        _ isCancelled: @escaping @Sendable () -> Bool = { false }
    ) async throws -> (material: TLSMaterial, token: String) {
        let result: Result<(TLSMaterial, String), KubeError> = await withCheckedContinuation {
            continuation in
            Thread.detachNewThread {
                do throws(KubeError) {
                    let access = try self.access(isCancelled)
                    continuation.resume(returning: .success((access.material, access.token)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        let (material, token) = try result.get()
        return (material, token)
    }
}

@Suite("Exec plugins", .timeLimit(.minutes(Patience.minutes)))
struct ExecPluginTests {
    @Test func `get their arguments, environment and the cluster, and give a token`() async throws {
        let plugin = try Plugin(
            """
            echo "$1|$2|$REGION" > seen
            echo "$KUBERNETES_EXEC_INFO" > info
            \(answer(#""token":"secret""#))
            """)
        let client = try plugin.client("interactiveMode: IfAvailable\nprovideClusterInfo: true")
        #expect(try await client.accessOnThread().token == "secret")
        #expect(plugin.read("seen") == "get|a b|eu 1\n")
        let information = try #require(
            try JSONSerialization.jsonObject(with: Data(plugin.read("info").utf8))
                as? [String: Any])
        #expect(information["kind"] as? String == "ExecCredential")
        let spec = try #require(information["spec"] as? [String: Any])
        #expect(spec["interactive"] as? Bool == false)
        let cluster = try #require(spec["cluster"] as? [String: Any])
        #expect(cluster["server"] as? String == "https://h:1")
        #expect(cluster["certificate-authority-data"] as? String == "Q0E=")
        let config = try #require(cluster["config"] as? [String: Any])
        #expect(config["audience"] as? String == "a b" && config["count"] as? Int == 5)
        #expect((config["nested"] as? [Any])?.last as? String == "5")
        // Without a timestamp it is good until refused.
        _ = try await client.accessOnThread()
        #expect(plugin.runs == 1)
        #expect(client.credentialWasRefused())
        _ = try await client.accessOnThread()
        #expect(plugin.runs == 2)
    }

    @Test func `may answer in YAML, with a certificate, as v1beta1`() async throws {
        let plugin = try Plugin(
            """
            cat <<'END'
            kind: ExecCredential
            apiVersion: client.authentication.k8s.io/v1beta1
            status:
              clientCertificateData: |
                CERT
              clientKeyData: "KEY\\n"
            END
            """)
        let access = try await plugin.client("", version: "v1beta1").accessOnThread()
        #expect(access.material.certificate == Array("CERT\n".utf8))
        #expect(access.material.key == Array("KEY\n".utf8))
        #expect(access.token == "")
    }

    @Test(arguments: [("+1 hour", "t1"), ("+2 seconds", "t2")])
    func `are asked again before their credential expires, and only then`(
        life: String, second: String
    ) async throws {
        let plugin = try Plugin(
            """
            end=$(date -u -d '\(life)' +%Y-%m-%dT%H:%M:%SZ)
            \(answer(#""token":"t'$(wc -l < runs | tr -d ' ')'","expirationTimestamp":"'$end'""#))
            """)
        let client = try plugin.client()
        #expect(try await client.accessOnThread().token == "t1")
        try await Task.sleep(for: .seconds(2))
        #expect(try await client.accessOnThread().token == second)
    }

    @Test func `are ended with all they started when they hang`() async throws {
        let plugin = try Plugin("sleep 600 & echo $! > child; sleep 600")
        let client = try plugin.client(timeout: .milliseconds(500))
        #expect(
            await message { _ = try await client.accessOnThread() }.contains(
                "the exec plugin plugin of user \"u\" gave no answer in 0.5 seconds and was ended"))
        let child = try #require(Int32(plugin.read("child").dropLast()))
        try await Task.sleep(for: .milliseconds(100))
        // A zombie at most, until somebody collects it.
        let state = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? "x Z"
        #expect(state.contains(" Z"))
    }

    @Test func `are ended at once when nobody waits any more`() async throws {
        let plugin = try Plugin("sleep 600")
        let client = try plugin.client()
        let end = ContinuousClock.now + .milliseconds(200)
        #expect(
            await message { _ = try await client.accessOnThread { ContinuousClock.now >= end } }
                == "cancelled")
    }

    @Test func `need not wait for what they leave running`() async throws {
        let plugin = try Plugin("sleep 600 &\n\(answer(#""token":"t""#))")
        #expect(try await plugin.client().accessOnThread().token == "t")
    }

    @Test(arguments: [
        ("exit 3", "failed with exit code 3"), ("kill -9 $$", "was ended by signal 9"),
        ("echo '{'", "answered neither JSON nor YAML"), ("echo '{}'", "did not answer with an"),
        ("echo", "did not answer with an ExecCredential"),
        (
            answer(#""token":"t""#, version: "v1beta1"),
            "answered with apiVersion \"client.authentication.k8s.io/v1beta1\", not"
        ),
        (answer(""), "answered with neither a token nor a certificate"),
        (answer(#""clientKeyData":"k""#), "answered with only one of"),
        (answer(#""token":"t","expirationTimestamp":"soon""#), "is no RFC 3339 time"),
        ("head -c 2000000 /dev/zero", "answered with more than 1048576 bytes"),
    ])
    func `say what went wrong, and never what was secret`(script: String, expected: String)
        async throws
    {
        let plugin = try Plugin("\(script)")
        let text = await message { _ = try await plugin.client().accessOnThread() }
        #expect(text.contains(expected), "\(text)")
        #expect(text.contains("the exec plugin plugin of user \"u\""))
    }

    @Test func `that are not installed come with their hint`() async throws {
        let plugin = try Plugin("")
        let client = try plugin.client(
            "interactiveMode: Never\ninstallHint: \"Get it \\u001b[31mhere\"",
            command: "no-such-plugin")
        #expect(
            await message { _ = try await client.accessOnThread() }.hasSuffix(
                "is not installed. Get it [31mhere"))
    }

    @Test func `must be described in full`() async throws {
        let plugin = try Plugin("")
        #expect(
            await message { _ = try plugin.client("") }.contains("must say its interactiveMode"))
        #expect(
            await message { _ = try plugin.client("interactiveMode: Often") }.contains("\"Often\""))
        #expect(
            await message { _ = try plugin.client(version: "v1alpha1") }.contains(
                "v1 and v1beta1 are supported"))
        #expect(await message { _ = try plugin.client(command: "''") }.contains("has no `command`"))
        let always = try plugin.client("interactiveMode: Always")
        #expect(
            await message { _ = try await always.accessOnThread() }.contains(
                "standard input is no terminal"))
    }
}
