/*
 * Faults of the machine under a server, switched while it runs.
 *
 *   cc -O2 -shared -fPIC -o faults.so faults.c -ldl
 *   TORTURE_SWITCHES=switches LD_PRELOAD=./faults.so python -m chatbridge serve
 *
 * The file `switches` holds three 64-bit numbers, which another process may change at any time: microseconds by which the
 * clock of the day is wrong, microseconds that every fsync takes longer, and whether the disk is full (0 or 1).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct switches {
    int64_t clock_us, fsync_us, full;
};

static const struct switches all_off;
static const volatile struct switches *switches = &all_off;

__attribute__((constructor)) static void open_switches(void) {
    const char *path = getenv("TORTURE_SWITCHES");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *page = mmap(NULL, sizeof *switches, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        switches = page;
    close(fd);
}

#define REAL(name) ((__typeof__(&name))real(&kept_##name, #name))
#define KEEP(name) static void *kept_##name

static void *real(void **kept, const char *name) {
    if (!*kept)
        *kept = dlsym(RTLD_NEXT, name);
    return *kept;
}

/* --- the clock of the day --- */

KEEP(clock_gettime);

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) {
        int64_t us = switches->clock_us;
        now->tv_sec += us / 1000000;
        now->tv_nsec += us % 1000000 * 1000;
        if (now->tv_nsec < 0)
            now->tv_sec--, now->tv_nsec += 1000000000;
        if (now->tv_nsec >= 1000000000)
            now->tv_sec++, now->tv_nsec -= 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *also) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (also)
        *also = precise.tv_sec;
    return precise.tv_sec;
}

/* --- the disk; standard output and errors are spared --- */

static int is_full(int fd) {
    struct stat file;
    if (!switches->full || fd <= 2 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return 0;
    errno = ENOSPC;
    return 1;
}

static void linger(void) {
    int64_t us = switches->fsync_us;
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    if (us)
        nanosleep(&pause, NULL);
}

KEEP(fsync);
KEEP(fdatasync);
KEEP(write);
KEEP(pwrite);
KEEP(pwrite64);
KEEP(fallocate);
KEEP(posix_fallocate);

int fsync(int fd) {
    linger();
    return is_full(fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd) {
    linger();
    return is_full(fd) ? -1 : REAL(fdatasync)(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    return is_full(fd) ? -1 : REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return is_full(fd) ? -1 : REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return is_full(fd) ? -1 : REAL(pwrite64)(fd, bytes, count, at);
}

int fallocate(int fd, int mode, off_t at, off_t count) {
    return is_full(fd) ? -1 : REAL(fallocate)(fd, mode, at, count);
}

int posix_fallocate(int fd, off_t at, off_t count) {
    return is_full(fd) ? ENOSPC : REAL(posix_fallocate)(fd, at, count);
}
