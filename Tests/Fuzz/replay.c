// Runs the fuzzer's comparisons on recorded bodies, in pieces of several sizes, without a fuzzer:
// for processors that are emulated. Usage: replay FILE…

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    // The fuzzer's first byte says how to read the rest.
    uint8_t *data = malloc(size + 1);
    if (data == NULL || fread(data + 1, 1, size, file) != size) {
        perror(path);
        return 1;
    }
    fclose(file);
    const uint8_t ways[] = {0x00, 0x06, 0x3f, 0x40, 0x46, 0x7f, 0xc3};
    for (size_t index = 0; index < sizeof ways; index++) {
        data[0] = ways[index];
        LLVMFuzzerTestOneInput(data, size + 1);
    }
    free(data);
    return 0;
}

int main(int argc, char **argv) {
    printf("scanners: scalar%s%s%s\n", plm_scanner_is_available(PLM_SCANNER_SSE2) ? " SSE2" : "",
           plm_scanner_is_available(PLM_SCANNER_AVX2) ? " AVX2" : "",
           plm_scanner_is_available(PLM_SCANNER_NEON) ? " NEON" : "");
    for (int index = 1; index < argc; index++) {
        if (run(argv[index]) != 0) {
            return 1;
        }
    }
    printf("%d bodies read alike in every way\n", argc - 1);
    return 0;
}
