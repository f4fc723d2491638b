// yajl_sax FILE REPEAT: what yajl alone costs: reads a recorded watch or list as a stream of JSON
// values, all callbacks set, nothing kept. Prints one JSON line. In pieces of 16 KiB, as libcurl
// hands them over.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_parse.h>

static long events;

static int on_event(void *context) {
    (void)context;
    events++;
    return 1;
}

static int on_boolean(void *context, int value) {
    (void)value;
    return on_event(context);
}

static int on_number(void *context, const char *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return on_event(context);
}

static int on_string(void *context, const unsigned char *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return on_event(context);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_event,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_event,
    .yajl_map_key = on_string,
    .yajl_end_map = on_event,
    .yajl_start_array = on_event,
    .yajl_end_array = on_event,
};

int main(int argc, char **argv) {
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: yajl_sax FILE REPEAT\n");
        return 2;
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(size + 1);
    if (bytes == NULL || fread(bytes, 1, size, file) != size) {
        return 1;
    }
    fclose(file);
    int repeat = atoi(argv[2]);
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int round = 0; round < repeat; round++) {
        yajl_handle handle = yajl_alloc(&callbacks, NULL, NULL);
        yajl_config(handle, yajl_allow_multiple_values, 1);
        for (size_t at = 0; at < size; at += 16384) {
            size_t count = size - at < 16384 ? size - at : 16384;
            if (yajl_parse(handle, bytes + at, count) != yajl_status_ok) {
                fprintf(stderr, "malformed\n");
                return 1;
            }
        }
        yajl_complete_parse(handle);
        yajl_free(handle);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    printf("{\"bytes\":%zu,\"events\":%ld,\"seconds\":%.6f,\"bytesPerSecond\":%.0f}\n", size,
           events, seconds, (double)size * repeat / seconds);
    free(bytes);
    return 0;
}
