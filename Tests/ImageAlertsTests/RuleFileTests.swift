import Foundation
import ImageAlerts
import Testing

private let folder = URL(filePath: #filePath).deletingLastPathComponent()

@Suite("Rule files")
struct RuleFileTests {
    private static let badFiles = try! FileManager.default.contentsOfDirectory(
        at: folder.deletingLastPathComponent().appending(path: "BadRules"),
        includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "yaml" }.map { $0.deletingPathExtension().lastPathComponent }

    @Test(arguments: badFiles)
    func `that are bad are told with line, column and the way out`(name: String) throws {
        let base = folder.deletingLastPathComponent().appending(path: "BadRules/\(name)")
        let expected = try String(
            contentsOf: base.appendingPathExtension("expected"), encoding: .utf8)
        let bytes = try Data(contentsOf: base.appendingPathExtension("yaml"))
        let error = #expect(throws: RuleFile.Invalid.self) {
            try RuleFile(Array(bytes), name: "f")
        }
        let told = error?.problems.map { "\($0.line):\($0.column): \($0.message)\n" }.joined()
        #expect(told == expected)
    }

    @Test func `there are enough bad ones`() { #expect(Self.badFiles.count >= 50) }

    @Test func `say what every example says`() throws {
        let file = try RuleFile(Array(RuleFile.example.utf8), name: "example")
        #expect(file.rules.count == 8)
        let high = try #require(file.rules.first { $0.name == "filesystem-nearly-full" })
        #expect(
            high.condition == .high(above: .percent(88), clear: .percent(80), of: .automatic))
        #expect(high.hold == .seconds(900))
        #expect(high.severity == .warning)
    }

    @Test func `are read as JSON, too`() throws {
        let text =
            #"{"rules":[{"name":"a","type":"big-image","over":5000000,"labels":{"team":"x"}}]}"#
        let rule = try #require(try RuleFile(Array(text.utf8), name: "f").rules.first)
        #expect(rule.condition == .bigImage(bytes: 5_000_000))
        #expect(rule.labels == ["team": "x"])
        #expect(rule.severity == .info)
    }

    /// Every test in the documentation of rules: one for each type.
    private static let examples: [String] = {
        let page = try! String(
            contentsOf: folder.deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "docs/rules.md"), encoding: .utf8)
        return page.components(separatedBy: "```yaml\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
    }()

    @Test(arguments: examples)
    func `do what their documentation shows`(example: String) throws {
        let tests = try RuleTest.read(Array(example.utf8), name: "rules.md")
        #expect(tests.count == 1)
        let expected = try #require(tests[0].expected)
        #expect(!expected.isEmpty)
        #expect(try tests[0].run([]) == expected)
    }

    @Test func `have sinks, silences and grouping, as their documentation shows`() throws {
        let page = try String(
            contentsOf: folder.deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "docs/sinks.md"), encoding: .utf8)
        let text = page.components(separatedBy: "```yaml\n")[1].components(separatedBy: "```")[0]
        let file = try RuleFile(Array(text.utf8), name: "sinks.md")
        #expect(file.sinks.map(\.name) == ["pager", "chat"])
        #expect(file.silences.count == 1 && file.silences[0].severities == [.info])
        #expect(file.grouping.wait == .seconds(30))
    }

    @Test func `of every type are documented`() {
        let schema = RuleFile.schema
        let types = Set(
            Self.examples.flatMap { example in
                example.split(separator: "\n").compactMap { line in
                    line.contains("type: ") ? line.split(separator: " ").last.map(String.init) : nil
                }
            })
        #expect(types.count == 13)
        for type in types { #expect(schema.contains("\"const\" : \"\(type)\"")) }
    }
}

@Suite("Patterns and selectors")
struct PatternTests {
    @Test func `match names as shells do`() {
        #expect(Glob("*").matches("") && Glob("a*c").matches("abbc") && Glob("a?c").matches("aßc"))
        #expect(Glob("gpu-*-[x]").matches("gpu-1-[x]"))
        #expect(!Glob("a*c").matches("abcd") && !Glob("?").matches("") && !Glob("").matches("a"))
        #expect(Glob("*a*b*a*").matches("xxaxxbxxbxxaxx"))
        // Not in time that grows with the stars.
        let many = Glob(String(repeating: "a*", count: 40) + "b")
        #expect(!many.matches(String(repeating: "a", count: 4000)))
    }

    @Test func `mean images by repository, tag or digest, in any registry or one`() {
        let nginx = image(1, "docker.io/library/nginx@sha256:ab", "docker.io/library/nginx:1.29")
        for pattern in [
            "nginx", "library/nginx", "docker.io/library/nginx", "nginx:1.29", "*:1.29",
            "sha256:ab", "docker.io/*", "ng?nx",
        ] {
            #expect(ImagePattern([pattern]).matches(nginx), "\(pattern)")
        }
        for pattern in ["ginx", "nginx:1.2", "sha256:a", "quay.io/*", "nginx/nginx"] {
            #expect(!ImagePattern([pattern]).matches(nginx), "\(pattern)")
        }
        #expect(!ImagePattern([], except: ["docker.io/*"]).matches(nginx))
        #expect(ImagePattern([], except: ["quay.io/*"]).matches(nginx))
    }

    @Test func `select labels as kubectl does`() throws {
        let labels = ["pool": "gpu", "zone": "a"]
        func matches(_ text: String) throws -> Bool {
            try LabelRequirements(text).matches { labels[$0] }
        }
        for text in [
            "pool=gpu", "pool==gpu", "pool in (gpu, cpu),zone", "pool!=cpu", "spot!=x", "!spot",
            "pool notin (a,b)", "spot notin (a)",
        ] {
            #expect(try matches(text), "\(text)")
        }
        for text in ["pool=cpu", "!pool", "spot", "pool!=gpu", "zone in (b)", "zone notin (a)"] {
            #expect(try !matches(text), "\(text)")
        }
        for text in ["", "=", "pool in", "pool in ()", "a b", "pool=gpu,", "!"] {
            #expect(throws: LabelRequirements.Invalid.self, "\(text)") {
                try LabelRequirements(text)
            }
        }
    }

    @Test func `read sizes and times`() {
        #expect(ByteText.parse("1.5GiB") == 1_610_612_736 && ByteText.parse("10 MB") == 10_000_000)
        #expect(ByteText.parse("-1") == nil && ByteText.parse("1e9") == nil)
        #expect(ByteText.parse("99999999TiB") == nil)
        #expect(DurationText.parse("1h30m") == .seconds(5400) && DurationText.parse("0") == .zero)
        #expect(DurationText.parse("") == nil && DurationText.parse("5") == nil)
        #expect(DurationText.text(.seconds(93_784)) == "1d2h3m4s")
    }
}
