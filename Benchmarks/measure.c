// measure PROGRAM ARGUMENT…: runs a program to its end and writes one JSON line to standard error:
// what it took of CPU and wall time, and its peak resident memory. A small parent matters: on Linux
// a child's peak begins with what its parent had in memory.

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: measure PROGRAM ARGUMENT…\n");
        return 2;
    }
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("measure");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double wall = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(stderr,
            "{\"exitCode\":%d,\"userSeconds\":%.6f,\"systemSeconds\":%.6f,\"wallSeconds\":%.6f,"
            "\"maxRSSBytes\":%ld}\n",
            code, seconds(usage.ru_utime), seconds(usage.ru_stime), wall, usage.ru_maxrss * 1024);
    return code;
}
