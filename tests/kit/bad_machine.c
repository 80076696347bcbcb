/* A machine that goes wrong on command: preloaded into the receiver, steered through a file both sides have mapped.
 *
 * clock_us    added to every wall clock; the monotonic ones stay
 * sync_us     how long fsync and fdatasync take, also those under way
 * failure     errno that writing in `folder` ends with: ENOSPC, EROFS, EIO; 0 is a sound disk
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
    int64_t clock_us;
    int64_t sync_us;
    int64_t failure;
    char folder[4072];
};

static const struct control sound;
static volatile const struct control *control = &sound;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("BAD_MACHINE");
    int handle = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
    if (handle < 0)
        return;
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, handle, 0);
    if (mapped != MAP_FAILED)
        control = mapped;
    close(handle);
}

/* --- clocks --- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static __typeof__(&clock_gettime) next;
    if (!next)
        next = REAL(clock_gettime);
    int result = next(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ns = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + control->clock_us * 1000;
        now->tv_sec = ns / INT64_C(1000000000);
        now->tv_nsec = ns % INT64_C(1000000000);
    }
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec precise;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return result;
}

time_t time(time_t *seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds)
        *seconds = now.tv_sec;
    return now.tv_sec;
}

/* --- the disk --- */

static int64_t steady_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void rest(void)
{
    /* In slices: what is under way ends when the disk is told to be faster. */
    int64_t began = steady_us(), left;
    while ((left = control->sync_us - (steady_us() - began)) > 0) {
        struct timespec slice = {0, (left < 5000 ? left : 5000) * 1000};
        nanosleep(&slice, NULL);
    }
}

static int is_inside(const char *path)
{
    const char *folder = (const char *)control->folder;
    return !strncmp(path, folder, strlen(folder));
}

static int fails_at(const char *path)
{
    if (!control->failure || !is_inside(path))
        return 0;
    errno = (int)control->failure;
    return 1;
}

static int fails_on(int handle)
{
    char link[64], path[4096];
    if (!control->failure)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails_at(path);
}

int fsync(int handle)
{
    rest();
    return fails_on(handle) ? -1 : REAL(fsync)(handle);
}

int fdatasync(int handle)
{
    rest();
    return fails_on(handle) ? -1 : REAL(fdatasync)(handle);
}

ssize_t write(int handle, const void *data, size_t size)
{
    static __typeof__(&write) next;
    if (!next)
        next = REAL(write);
    return fails_on(handle) ? -1 : next(handle, data, size);
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t at)
{
    return fails_on(handle) ? -1 : REAL(pwrite)(handle, data, size, at);
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t at)
{
    return fails_on(handle) ? -1 : REAL(pwrite64)(handle, data, size, at);
}

int ftruncate64(int handle, off64_t size)
{
    return fails_on(handle) ? -1 : REAL(ftruncate64)(handle, size);
}

static int may_open(const char *path, int flags)
{
    /* A full disk opens what is there already. */
    int changes = (flags & O_CREAT) || (control->failure == EROFS && (flags & O_ACCMODE) != O_RDONLY);
    return !(changes && fails_at(path));
}

#define OPENING(name)                                               \
    int name(const char *path, int flags, ...)                      \
    {                                                               \
        va_list more;                                               \
        va_start(more, flags);                                      \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                               \
        return may_open(path, flags) ? REAL(name)(path, flags, mode) : -1; \
    }
OPENING(open)
OPENING(open64)

int unlink(const char *path)
{
    return control->failure == EROFS && fails_at(path) ? -1 : REAL(unlink)(path);
}

int rename(const char *from, const char *to)
{
    return control->failure == EROFS && fails_at(to) ? -1 : REAL(rename)(from, to);
}

int statvfs64(const char *path, struct statvfs64 *disk)
{
    int result = REAL(statvfs64)(path, disk);
    if (!result && control->failure == EROFS && is_inside(path))
        disk->f_flag |= ST_RDONLY;
    if (!result && control->failure == ENOSPC && is_inside(path))
        disk->f_bavail = 0;
    return result;
}

int statvfs(const char *path, struct statvfs *disk)
{
    return statvfs64(path, (struct statvfs64 *)disk); /* the same on 64-bit machines */
}
