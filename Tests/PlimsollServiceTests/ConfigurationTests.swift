import Foundation
import ImageAlerts
import PlimsollService
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    private func read(
        _ text: String?, environment: [String: String] = [:], flags: [String: String] = [:]
    ) throws -> ServiceConfiguration {
        try ServiceConfiguration(
            text.map { Array($0.utf8) }, name: "c.yaml", environment: environment, flags: flags)
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try read(text)
            return []
        } catch { return "\(error)".split(separator: "\n").map(String.init) }
    }

    @Test func `has defaults, and alerts of every change without rules`() throws {
        for configuration in [try read(nil), try read("service: {}")] {
            #expect(configuration.settings.staleAfter == .seconds(150))
            #expect(configuration.settings.output == .json)
            #expect(configuration.settings.listen == nil)
            #expect(configuration.alerting.rules.map(\.name) == [Rule.storageChanged.name])
        }
    }

    @Test func `takes a flag before the environment, that before the file`() throws {
        let file =
            "service: {stale_after: 1m, warm_up: 0, listen: 8081, output: none, image_fs: true}"
        let environment = [
            "PLIMSOLL_STALE_AFTER": "2m", "PLIMSOLL_LISTEN": ":8082", "PLIMSOLL_PORT": "x",
        ]
        let settings = try read(file, environment: environment, flags: ["listen": "8083"]).settings
        #expect(settings.warmUp == .zero)
        #expect(settings.staleAfter == .seconds(120))
        #expect(settings.listen == ListenAddress("8083"))
        #expect(settings.output == nil)
        #expect(settings.asksKubelets)
        #expect(try read(file).settings.staleAfter == .seconds(60))
    }

    @Test func `says all that is wrong in a file, each with its place and the way out`() {
        let text = """
            service:
              listen: nowhere
              stale-after: 2m
              shard: 5/4
            rules:
              - {name: a, type: storage-chnged}
            """
        #expect(
            problems(text) == [
                "c.yaml:2:11: \"listen\" of \"service\": \"nowhere\" is no address such as :8080, "
                    + "127.0.0.1:8080 or 8080",
                "c.yaml:3:3: \"service\" has no \"stale-after\"; did you mean \"stale_after\"?",
                "c.yaml:4:10: \"shard\" of \"service\": \"5/4\" is no part such as 2/4",
                "c.yaml:6:21: rule \"a\": there is no type \"storage-chnged\"; did you mean "
                    + "\"storage-changed\"?",
            ])
        #expect(
            problems("service: 5") == [
                "c.yaml:1:10: \"service\" must be a mapping of keys to values"
            ])
        #expect(problems("sinks: []")[0].contains("lacks \"rules\""))
    }

    @Test func `is documented, each setting of it`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/service.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.contains("`PLIMSOLL_") }.map(String.init)
        #expect(
            rows == ServiceSettings.all.map { "| `\($0.key)` | `\($0.variable)` | \($0.meaning) |" }
        )
    }

    @Test func `names the variable or flag that cannot be used`() {
        #expect {
            try read(
                nil, environment: ["PLIMSOLL_OUTPUT": "xml"], flags: ["stale_after": "0"])
        } throws: { error in
            "\(error)" == "--stale-after: \"0\" is no time such as 90s, 10m or 1h30m\n"
                + "PLIMSOLL_OUTPUT: \"xml\" is no format; there are text, json, logfmt, none"
        }
    }
}
