import FoundationEssentials

/// `JSONDecoderBench FILE REPEAT`: what FoundationEssentials' JSONDecoder costs for a recorded watch,
/// decoding of each event only what image storage needs. Prints one JSON line.
@main
struct JSONDecoderBench {
    private struct Event: Decodable {
        struct Metadata: Decodable {
            var name: String?
            var uid: String?
            var resourceVersion: String?
        }
        struct Status: Decodable { var images: [Image]? }
        struct Image: Decodable {
            var names: [String]?
            var sizeBytes: Int?
        }
        struct Object: Decodable {
            var metadata: Metadata
            var status: Status?
        }
        var type: String
        var object: Object
    }

    static func main() throws {
        let words = CommandLine.arguments
        guard words.count == 3, let rounds = Int(words[2]) else {
            print("usage: JSONDecoderBench FILE REPEAT")
            return
        }
        let data = try Data(contentsOf: URL(filePath: words[1]))
        let lines = data.split(separator: UInt8(ascii: "\n"))
        var total = 0
        let start = ContinuousClock.now
        for _ in 0..<rounds {
            let decoder = JSONDecoder()
            for line in lines {
                let event = try decoder.decode(Event.self, from: line)
                total &+= (event.object.status?.images ?? []).reduce(0) { $0 + ($1.sizeBytes ?? 0) }
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let rate = Double(data.count * rounds) / seconds
        print(
            "{\"bytes\":\(data.count),\"events\":\(lines.count),\"imageBytes\":\(total / rounds),"
                + "\"seconds\":\(seconds),\"bytesPerSecond\":\(Int(rate))}")
    }
}
