import Foundation
import TestSupport
import Testing

@Suite("Connections", .timeLimit(.minutes(Patience.minutes)))
struct ConnectionTests {
    private func watch(
        _ simulator: SimulatorProcess, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Program.Result {
        try await Program.run(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "--until-synced"] + arguments,
            environment: environment)
    }

    @Test(arguments: Proxy.Kind.allCases)
    func `go through a proxy`(kind: Proxy.Kind) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        try await withFolder { folder in
            let identity = folder.appending(path: "proxy.pem")
            if kind == .https {
                try await simulator.command("certificate", "server", "proxy")
                    .write(to: identity, atomically: true, encoding: .utf8)
            }
            let proxy = try await Proxy(kind, identity: identity.path)
            let result = try await watch(simulator, ["--proxy-url", proxy.url])
            #expect(result.status == 0, "\(result.errors)")
            let server = try simulator.access().server
            #expect(proxy.targets == [String(server.dropFirst("https://".count))])
        }
    }

    @Test(arguments: [("10.0.0.0/8", true), ("0.0.0.0/8,10.0.0.0/8", false), ("0.0.0.0", false)])
    func `use the environment's proxy unless NO_PROXY names the server's network`(
        exceptions: String, usesProxy: Bool
    ) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let proxy = try await Proxy(.http)
        // This machine, by an address that is not left aside anyway.
        let server = try simulator.access().server.replacing("127.0.0.1", with: "0.0.0.0")
        let result = try await watch(
            simulator, ["--server", server, "--tls-server-name", "localhost"],
            environment: ["HTTPS_PROXY": proxy.url, "NO_PROXY": exceptions])
        #expect(result.status == 0, "\(result.errors)")
        #expect(!proxy.targets.isEmpty == usesProxy)
    }

    @Test func `to this machine leave the environment's proxy aside`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let proxy = try await Proxy(.http)
        let result = try await watch(simulator, [], environment: ["HTTPS_PROXY": proxy.url])
        #expect(result.status == 0)
        #expect(proxy.targets.isEmpty)
    }

    @Test func `check the certificate against the TLS server name`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        // A name by SNI, an address without.
        for name in ["localhost", "127.0.0.1", "::1"] {
            let right = try await watch(simulator, ["--tls-server-name", name])
            #expect(right.status == 0, "\(name): \(right.errors)")
        }
        let wrong = try await watch(simulator, ["--tls-server-name", "wrong.example"])
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("is not trusted: "))
        #expect(wrong.errors.contains("wrong.example"))
    }

    @Test func `act as another user`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let result = try await watch(simulator, ["--as", "guest", "--as-group", "guests"])
        #expect(result.status == 1)
        #expect(result.errors.contains(#"User "guest" cannot watch resource "nodes""#))
    }

    @Test func `need no kubeconfig with a server, a token and an authority`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let access = try simulator.access()
        let authority = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).pem")
        try Data(access.authority.utf8).write(to: authority)
        defer { try? FileManager.default.removeItem(at: authority) }
        let arguments = [
            "watch", "--until-synced", "--server", access.server, "--token",
            access.token,
        ]
        let environment = ["HOME": "/nowhere", "KUBECONFIG": ""]
        var result = try await Program.run(
            "plimsoll", arguments + ["--certificate-authority", authority.path],
            environment: environment)
        #expect(result.status == 0, "\(result.errors)")
        result = try await Program.run(
            "plimsoll", arguments + ["--insecure-skip-tls-verify"], environment: environment)
        #expect(result.status == 0, "\(result.errors)")
        result = try await Program.run("plimsoll", arguments, environment: environment)
        #expect(result.status == 1)
        #expect(!result.errors.contains(access.token))
    }

    @Test func `authenticate with a client certificate`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--client-certificate"])
        defer { simulator.stop() }
        let result = try await watch(simulator, [])
        #expect(result.status == 0, "\(result.errors)")
    }

    /// A kubeconfig for a simulator whose user has these fields instead of a token.
    private func kubeconfig(
        _ simulator: SimulatorProcess, user: String, in folder: URL
    ) throws -> String {
        let text = try String(contentsOfFile: simulator.kubeconfig, encoding: .utf8)
        let token = "token: \(try simulator.access().token)"
        let file = folder.appending(path: "kubeconfig")
        try text.replacingOccurrences(of: token, with: user).write(
            to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        try await body(folder.url)
    }

    private func plugin(_ script: String, in folder: URL) throws {
        let file = folder.appending(path: "plugin")
        try "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n\(script)\n".write(
            to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: file.path)
    }

    private let exec = """
        exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}
        """

    @Test func `replace a plugin's token once when it is refused, and go on`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try await withFolder { folder in
            // The first token is wrong, as one that has expired would be.
            try plugin(
                """
                echo run >> runs
                token=wrong
                [ "$(wc -l < runs)" -gt 1 ] && token=\(try simulator.access().token)
                echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",'
                echo '"status":{"token":"'$token'"}}'
                """, in: folder)
            let file = try kubeconfig(simulator, user: exec, in: folder)
            let program = try Program("plimsoll", ["watch", "--kubeconfig", file, "-o", "json"])
            try await program.wait(for: "sync") {
                program.errors.contains("2 nodes in") ? true : nil
            }
            // A refusal in the middle of the watch, too.
            try await simulator.command("fault", "watch", "status=401")
            try await simulator.command("cut")
            let name = try await simulator.nodes()[0].name
            try await simulator.command("pull", name, "x:1", "5MB")
            try await program.wait(for: "alert") { program.output.isEmpty ? nil : true }
            program.signal(SIGTERM)
            let result = try await program.result()
            #expect(result.status == 0)
            #expect(!result.errors.contains("401"))
            let runs = try String(contentsOf: folder.appending(path: "runs"), encoding: .utf8)
            #expect(runs.split(separator: "\n").count == 3)
        }
    }

    @Test func `do not outlive an interruption, though a plugin hangs`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        try await withFolder { folder in
            try plugin("touch started; sleep 600", in: folder)
            let file = try kubeconfig(simulator, user: exec, in: folder)
            let program = try Program("plimsoll", ["watch", "--kubeconfig", file])
            let started = folder.appending(path: "started").path
            try await program.wait(for: "plugin") {
                FileManager.default.fileExists(atPath: started) ? true : nil
            }
            program.signal(SIGINT)
            #expect(try await program.result().status == 130)
        }
    }

    @Test func `end at once where a plugin fails, with its own words`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        try await withFolder { folder in
            try plugin("echo 'please log in' >&2; exit 7", in: folder)
            let file = try kubeconfig(simulator, user: exec, in: folder)
            let result = try await Program.run("plimsoll", ["watch", "--kubeconfig", file])
            #expect(result.status == 1)
            #expect(result.errors.contains("please log in\n"))
            #expect(result.errors.contains("of user \"simulated-admin\" failed with exit code 7"))
        }
    }

    @Test func `take up a token file and an authority that were replaced`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try await withFolder { folder in
            let token = folder.appending(path: "token")
            try simulator.access().token.write(to: token, atomically: true, encoding: .utf8)
            let file = try kubeconfig(simulator, user: "tokenFile: token", in: folder)
            let authority = folder.appending(path: "ca.pem")
            try simulator.access().authority.write(
                to: authority, atomically: true, encoding: .utf8)
            let program = try Program(
                "plimsoll",
                ["watch", "--kubeconfig", file, "--certificate-authority", authority.path])
            try await program.wait(for: "sync") {
                program.errors.contains("2 nodes in") ? true : nil
            }
            // Both go bad under the running watch, which only shows when it must connect anew.
            try "wrong".write(to: token, atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(at: authority)
            try await simulator.command("cut")
            try await program.wait(for: "refusal") {
                program.errors.contains("401: Unauthorized") ? true : nil
            }
            try simulator.access().token.write(to: token, atomically: true, encoding: .utf8)
            try simulator.access().authority.write(
                to: authority, atomically: true, encoding: .utf8)
            try await program.wait(for: "resumption") {
                program.errors.contains("nothing missed") ? true : nil
            }
            program.signal(SIGTERM)
            #expect(try await program.result().status == 0)
        }
    }

    @Test func `take up a client certificate that was replaced`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try await withFolder { folder in
            let pem = folder.appending(path: "client.pem")
            func become(_ user: String) async throws {
                try await simulator.command("certificate", "user", user)
                    .write(to: pem, atomically: true, encoding: .utf8)
            }
            try await become("simulated-admin")
            let file = try kubeconfig(
                simulator, user: "{client-certificate: client.pem, client-key: client.pem}",
                in: folder)
            let program = try Program("plimsoll", ["watch", "--kubeconfig", file])
            try await program.wait(for: "sync") {
                program.errors.contains("2 nodes in") ? true : nil
            }
            try await become("stranger")
            try await simulator.command("cut")
            try await program.wait(for: "refusal") {
                program.errors.contains("User \"stranger\" cannot watch") ? true : nil
            }
            try await become("simulated-admin")
            try await program.wait(for: "resumption") {
                program.errors.contains("nothing missed") ? true : nil
            }
            program.signal(SIGTERM)
            #expect(try await program.result().status == 0)
        }
    }

    /// Everything that is asked for, every way to fail, and never a secret in what is said.
    @Test func `say nothing secret, however much they are asked to say`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let node = try await simulator.nodes()[0].name
        try await withFolder { folder in
            let access = try simulator.access()
            let pem = try await simulator.command("certificate", "user", "simulated-admin")
            try pem.write(
                to: folder.appending(path: "client.pem"), atomically: true, encoding: .utf8)
            try plugin(
                """
                echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
                "status":{"token":"'$SECRET'"}}'
                """, in: folder)
            let secrets =
                [access.token, "plugged-in", "proxy-pass", "wrong-token"]
                + pem.split(separator: "\n").filter { $0.count == 64 }.map(String.init)
            let users = [
                "token: \(access.token)", "token: wrong-token",
                "{client-certificate: client.pem, client-key: client.pem}",
                exec.replacing("}", with: ", env: [{name: SECRET, value: plugged-in}]}"),
                exec.replacing("}", with: ", env: [{name: SECRET, value: \(access.token)}]}"),
            ]
            for (number, user) in users.enumerated() {
                let home = folder.appending(path: "\(number)")
                try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
                for name in ["client.pem", "plugin"] {
                    try FileManager.default.copyItem(
                        at: folder.appending(path: name), to: home.appending(path: name))
                }
                let file = try kubeconfig(simulator, user: user, in: home)
                for words in [
                    ["watch", "--until-synced", "--stats"], ["get", "-o", "json"], ["doctor"],
                    ["annotate", node, "a=b", "--overwrite"], ["delete", "nope"],
                    ["doctor", "--as", "nobody"], ["get", "--server", "https://127.0.0.1:1"],
                    ["doctor", "--proxy-url", "http://me:proxy-pass@127.0.0.1:1"],
                ] {
                    let result = try await Program.run(
                        "plimsoll", words + ["--kubeconfig", file, "--verbose"])
                    for secret in secrets {
                        #expect(!result.output.contains(secret), "\(words)")
                        #expect(!result.errors.contains(secret), "\(words): \(result.errors)")
                    }
                }
            }
        }
    }
}
