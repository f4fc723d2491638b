import NodeWatch
import Testing

@Suite("Quantity")
struct QuantityTests {
    @Test(arguments: [
        ("0", 0), ("104845292Ki", 107_361_579_008), ("1.5Gi", 1_610_612_736),
        ("20G", 20_000_000_000),
        ("1e9", 1_000_000_000), ("1E3", 1000), ("2E", 2_000_000_000_000_000_000), ("500m", 1),
        ("1500m", 2), ("-1Ki", -1024), ("+7", 7), ("119703055367", 119_703_055_367),
    ])
    func `reads bytes, rounding fractions up`(text: String, bytes: Int) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(arguments: ["", "Ki", "1KiB", "x", "1.2.3", "9223372036854775808", "16Ei", "1 Gi", "-"])
    func `refuses what is no quantity or does not fit`(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }
}
