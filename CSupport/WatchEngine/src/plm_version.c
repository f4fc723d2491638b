#include <curl/curl.h>
#include <stdio.h>
#include <yajl/yajl_version.h>

#include "plm.h"

const char *plm_library_versions(void) {
    static char text[512];
    if (text[0] == '\0') {
        int version = yajl_version();
        snprintf(text, sizeof text, "%s yajl/%d.%d.%d", curl_version(), version / 10000,
                 version / 100 % 100, version % 100);
    }
    return text;
}
