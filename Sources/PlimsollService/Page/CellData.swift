import ImageAlerts
import NodeWatch

/// Every node for the map, as compact JSON: by pool, name and bytes (-1: unknown).
enum CellData {
    static func answer(_ view: ClusterView) -> HTTPAnswer {
        var json: [UInt8] = Array("{\"pools\":[".utf8)
        for (index, pool) in view.pools.enumerated() {
            json += (index > 0 ? ",{\"name\":" : "{\"name\":").utf8
            append(pool.name, to: &json)
            json += ",\"nodes\":[".utf8
            for (index, node) in pool.nodes.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                json.append(UInt8(ascii: "["))
                append(node.name, to: &json)
                let bytes = node.imageCount > 0 ? node.imageBytes ?? -1 : -1
                let flags =
                    (view.cap.isTruncated(node) ? 1 : 0)
                    + (node.diskPressure == .isTrue ? 2 : 0)
                json += ",\(bytes),\(flags)]".utf8
            }
            json += "]}".utf8
        }
        json += "]}".utf8
        return HTTPAnswer(200, "application/json", bytes: json)
    }

    private static func append(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            case 0..<32: json += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
    }
}
