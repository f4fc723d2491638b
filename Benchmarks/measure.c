// measure [--from SECONDS] [--until SECONDS] PROGRAM ARGUMENT…
//
// Runs a program to its end and writes one JSON line to standard error: what it took of CPU and
// wall time, its memory at its peak and at its end, and what went over the loopback interface
// meanwhile. With --until the program is asked to stop (SIGTERM) then; with --from the window
// between the two is measured apart. A small parent matters: on Linux a child's peak begins with
// what its parent had in memory.

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_MILLISECONDS 20

static double now(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

// Loopback carries what the peers and the simulated cluster say to each other, and little else.
static long long loopback_bytes(void) {
    long long bytes = 0;
    FILE *file = fopen("/sys/class/net/lo/statistics/rx_bytes", "r");
    if (!file || fscanf(file, "%lld", &bytes) != 1) {
        bytes = 0;
    }
    if (file) {
        fclose(file);
    }
    return bytes;
}

// A process that has just ended has none; the sample before it counts then.
static long resident_bytes(pid_t child, long before) {
    char path[64];
    long size = 0;
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)child);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &size, &pages) != 2) {
            pages = 0;
        }
        fclose(file);
    }
    return pages > 0 ? pages * sysconf(_SC_PAGESIZE) : before;
}

int main(int argc, char **argv) {
    double from = -1;
    double until = -1;
    int first = 1;
    while (first + 2 < argc && strncmp(argv[first], "--", 2) == 0) {
        double value = atof(argv[first + 1]);
        if (strcmp(argv[first], "--from") == 0) {
            from = value;
        } else if (strcmp(argv[first], "--until") == 0) {
            until = value;
        }
        first += 2;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: measure [--from SECONDS] [--until SECONDS] PROGRAM ARGUMENT…\n");
        return 2;
    }
    long long bytes = loopback_bytes();
    double start = now(CLOCK_MONOTONIC);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[first], argv + first);
        perror(argv[first]);
        _exit(127);
    }
    int handle = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
    clockid_t clock = CLOCK_MONOTONIC;
    if (handle < 0 || clock_getcpuclockid(child, &clock) != 0) {
        perror("measure");
        return 1;
    }
    long resident = 0;
    double window_start = -1;
    double window_cpu = 0;
    double window_seconds = 0;
    long long window_bytes = 0;
    for (;;) {
        struct pollfd ended = {.fd = handle, .events = POLLIN, .revents = 0};
        if (poll(&ended, 1, SAMPLE_MILLISECONDS) > 0) {
            break;
        }
        double elapsed = now(CLOCK_MONOTONIC) - start;
        resident = resident_bytes(child, resident);
        if (from >= 0 && window_start < 0 && elapsed >= from) {
            window_start = elapsed;
            window_cpu = now(clock);
            window_bytes = loopback_bytes();
        }
        if (until >= 0 && elapsed >= until) {
            if (window_start >= 0) {
                window_cpu = now(clock) - window_cpu;
                window_seconds = elapsed - window_start;
                window_bytes = loopback_bytes() - window_bytes;
            }
            kill(child, SIGTERM);
            until = -1;
        }
    }
    int status = 0;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) {
        perror("measure");
        return 1;
    }
    double wall = now(CLOCK_MONOTONIC) - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(stderr,
            "{\"exitCode\":%d,\"cpuSeconds\":%.6f,\"wallSeconds\":%.6f,\"maxRSSBytes\":%ld,"
            "\"endRSSBytes\":%ld,\"loopbackBytes\":%lld,\"windowCPUSeconds\":%.6f,"
            "\"windowSeconds\":%.6f,\"windowBytes\":%lld}\n",
            code, seconds(usage.ru_utime) + seconds(usage.ru_stime), wall, usage.ru_maxrss * 1024,
            resident, loopback_bytes() - bytes, window_cpu, window_seconds, window_bytes);
    return code;
}
