/*
 * Makes a fast disk slow: every fsync and fdatasync takes BENCH_FSYNC_MS milliseconds longer (default 5).
 *
 *   cc -O2 -shared -fPIC -o slow_fsync.so slow_fsync.c -ldl
 *   LD_PRELOAD=./slow_fsync.so python -m chatbridge serve
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void linger(void) {
    const char *wanted = getenv("BENCH_FSYNC_MS");
    double ms = wanted ? atof(wanted) : 5;
    struct timespec pause = {(time_t)(ms / 1000), (long)(ms * 1e6) % 1000000000};
    nanosleep(&pause, NULL);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    linger();
    return result;
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    linger();
    return result;
}
