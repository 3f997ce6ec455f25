
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this does to the outbox
 * what a machine can do.  FLOWDASH_OUTBOX is its directory, FLOWDASH_MACHINE
 * another one, where the test says what happens, and finds what was synced:
 *
 *   full     the disk is full, for all that is below the outbox; at times, a
 *            part of what is written fits
 *   later    the time of day is later, by as many seconds as it has bytes
 *   fast     so many seconds have passed, for all clocks; it must only grow
 *   boot_id  of this boot
 *   f/NAME   what a file had at its last fsync(), after its size
 *   d/INODE  what a directory had: the time, then a line for each entry
 *   ever/X   the entry X, a name or an inode, was once in a synced directory
 *   made/I   when the directory of the inode I was made
 *
 * fsync() itself is not called: it keeps for the test what would survive.
 */


#define _GNU_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


#define NEXT(type, name)  ((type) dlsym(RTLD_NEXT, name))


typedef int (*open_t)(const char *path, int flags, ...);
typedef int (*fallocate_t)(int fd, off_t offset, off_t len);
typedef ssize_t (*pwrite_t)(int fd, const void *buf, size_t n, off_t offset);
typedef int (*mkdir_t)(const char *path, mode_t mode);
typedef int (*epoll_t)(int fd, struct epoll_event *events, int n, int timeout);


static int keep(int fd);
static int keep_file(int fd, const char *name, const struct stat *st);
static int keep_directory(const char *path, ino_t inode);
static int in_outbox(int fd, char *path, size_t size);
static int is_full(int fd);
static size_t part(size_t n);
static off_t size_of(const char *name);
static const char *redirect(const char *path, char *other);


static char  *outbox, *faults;


static void __attribute__((constructor))
find_directories(void)
{
    /* nginx gives its workers another environment */

    outbox = getenv("FLOWDASH_OUTBOX");
    outbox = outbox ? strdup(outbox) : NULL;
    faults = getenv("FLOWDASH_MACHINE");
    faults = faults ? strdup(faults) : NULL;
}


int
fsync(int fd)
{
    return keep(fd);
}


int
fdatasync(int fd)
{
    return keep(fd);
}


static int
keep(int fd)
{
    char         path[PATH_MAX];
    struct stat  st;

    if (!in_outbox(fd, path, sizeof(path)) || fstat(fd, &st) == -1) {
        return syscall(SYS_fsync, fd);
    }

    /* as long as a disk may take */

    usleep(500 + (unsigned) clock() % 2000);

    if (S_ISDIR(st.st_mode)) {
        return keep_directory(path, st.st_ino);
    }

    return keep_file(fd, strrchr(path, '/') + 1, &st);
}


static int
keep_file(int fd, const char *name, const struct stat *st)
{
    int      out;
    char     to[PATH_MAX], tmp[PATH_MAX], buf[4096];
    off_t    offset;
    char    *end;
    ssize_t  n;

    (void) snprintf(to, sizeof(to), "%s/f/%s", faults, name);
    (void) snprintf(tmp, sizeof(tmp), "%s/tmp.%ld", faults,
                    syscall(SYS_gettid));

    out = open(tmp, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600);
    if (out == -1) {
        return -1;
    }

    (void) dprintf(out, "%lld\n", (long long) st->st_size);

    /* what follows a zero is space that was reserved */

    end = NULL;

    for (offset = 0; end == NULL; offset += n) {

        n = pread(fd, buf, sizeof(buf), offset);
        if (n <= 0) {
            break;
        }

        end = memchr(buf, '\0', n);
        if (end) {
            n = end - buf;
        }

        if (n && write(out, buf, n) != n) {
            (void) close(out);
            return -1;
        }
    }

    (void) close(out);

    return rename(tmp, to);
}


static int
keep_directory(const char *path, ino_t inode)
{
    int              lock, rc, seen;
    DIR             *dir;
    FILE            *out;
    char             to[PATH_MAX], tmp[PATH_MAX], ever[PATH_MAX];
    struct dirent   *entry;
    struct timespec  now;

    /* one at a time, or what is older could replace what is newer */

    (void) snprintf(tmp, sizeof(tmp), "%s/lock", faults);

    lock = open(tmp, O_WRONLY|O_CREAT|O_CLOEXEC, 0600);
    if (lock == -1 || flock(lock, LOCK_EX) == -1) {
        return -1;
    }

    (void) snprintf(to, sizeof(to), "%s/d/%lu", faults, (unsigned long) inode);
    (void) snprintf(tmp, sizeof(tmp), "%s/tmp.%ld", faults,
                    syscall(SYS_gettid));

    dir = opendir(path);
    out = fopen(tmp, "we");

    if (dir == NULL || out == NULL) {
        (void) close(lock);
        return -1;
    }

    (void) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    (void) fprintf(out, "%lld.%09ld\n", (long long) now.tv_sec, now.tv_nsec);

    for ( ;; ) {
        entry = readdir(dir);

        if (entry == NULL) {
            break;
        }

        if (entry->d_name[0] == '.') {
            continue;
        }

        (void) fprintf(out, "%s\t%lu\t%s\n", entry->d_name,
                       (unsigned long) entry->d_ino,
                       entry->d_type == DT_DIR ? "d" : "f");

        if (entry->d_type == DT_DIR) {
            (void) snprintf(ever, sizeof(ever), "%s/ever/%lu", faults,
                            (unsigned long) entry->d_ino);
        } else {
            (void) snprintf(ever, sizeof(ever), "%s/ever/%s", faults,
                            entry->d_name);
        }

        seen = open(ever, O_WRONLY|O_CREAT|O_CLOEXEC, 0600);
        (void) close(seen);
    }

    (void) closedir(dir);

    rc = (fclose(out) == 0) ? rename(tmp, to) : -1;

    (void) close(lock);

    return rc;
}


/* an inode's number is used again: the new directory was never synced */

int
mkdir(const char *path, mode_t mode)
{
    int              rc, made;
    char             old[PATH_MAX];
    struct stat      st;
    struct timespec  now;

    rc = NEXT(mkdir_t, "mkdir")(path, mode);

    if (rc == 0 && outbox && strncmp(path, outbox, strlen(outbox)) == 0
        && stat(path, &st) == 0)
    {
        (void) snprintf(old, sizeof(old), "%s/d/%lu", faults,
                        (unsigned long) st.st_ino);
        (void) unlink(old);
        (void) snprintf(old, sizeof(old), "%s/ever/%lu", faults,
                        (unsigned long) st.st_ino);
        (void) unlink(old);
        (void) snprintf(old, sizeof(old), "%s/made/%lu", faults,
                        (unsigned long) st.st_ino);
        (void) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);

        made = open(old, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600);
        (void) dprintf(made, "%lld.%09ld", (long long) now.tv_sec,
                       now.tv_nsec);
        (void) close(made);
    }

    return rc;
}


int
open(const char *path, int flags, ...)
{
    int      mode;
    char     other[PATH_MAX];
    va_list  args;

    va_start(args, flags);
    mode = va_arg(args, int);
    va_end(args);

    return NEXT(open_t, "open")(redirect(path, other), flags, mode);
}


int
open64(const char *path, int flags, ...)
{
    int      mode;
    char     other[PATH_MAX];
    va_list  args;

    va_start(args, flags);
    mode = va_arg(args, int);
    va_end(args);

    return NEXT(open_t, "open64")(redirect(path, other), flags, mode);
}


static const char *
redirect(const char *path, char *other)
{
    if (faults && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
        (void) snprintf(other, PATH_MAX, "%s/boot_id", faults);
        return other;
    }

    return path;
}


int
posix_fallocate(int fd, off_t offset, off_t len)
{
    return is_full(fd) ? ENOSPC
                       : NEXT(fallocate_t, "posix_fallocate")(fd, offset, len);
}


int
posix_fallocate64(int fd, off_t offset, off_t len)
{
    return is_full(fd) ? ENOSPC
                     : NEXT(fallocate_t, "posix_fallocate64")(fd, offset, len);
}


ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    if (is_full(fd)) {
        n = part(n);

        if (n == 0) {
            errno = ENOSPC;
            return -1;
        }
    }

    return NEXT(pwrite_t, "pwrite")(fd, buf, n, offset);
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off_t offset)
{
    if (is_full(fd)) {
        n = part(n);

        if (n == 0) {
            errno = ENOSPC;
            return -1;
        }
    }

    return NEXT(pwrite_t, "pwrite64")(fd, buf, n, offset);
}


ssize_t
write(int fd, const void *buf, size_t n)
{
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }

    return syscall(SYS_write, fd, buf, n);
}


int
gettimeofday(struct timeval *tv, void *tz)
{
    int  rc;

    rc = syscall(SYS_gettimeofday, tv, tz);

    if (rc == 0) {
        tv->tv_sec += size_of("later") + size_of("fast");
    }

    return rc;
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int  rc;

    rc = syscall(SYS_clock_gettime, clock, ts);

    if (rc == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE
                    || clock == CLOCK_BOOTTIME))
    {
        ts->tv_sec += size_of("fast");
    }

    return rc;
}


/* who waits must see that time has passed */

int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    if (faults && (timeout < 0 || timeout > 100)) {
        timeout = 100;
    }

    return NEXT(epoll_t, "epoll_wait")(fd, events, n, timeout);
}


static off_t
size_of(const char *name)
{
    char         path[PATH_MAX];
    struct stat  st;

    if (faults == NULL) {
        return 0;
    }

    (void) snprintf(path, sizeof(path), "%s/%s", faults, name);

    return stat(path, &st) == 0 ? st.st_size : 0;
}


static int
is_full(int fd)
{
    char         path[PATH_MAX];
    struct stat  st;

    if (faults == NULL) {
        return 0;
    }

    (void) snprintf(path, sizeof(path), "%s/full", faults);

    return stat(path, &st) == 0 && in_outbox(fd, path, sizeof(path));
}


/* never all of it */

static size_t
part(size_t n)
{
    return (clock() % 2) ? 0 : n * (size_t) (clock() % 100) / 100;
}


static int
in_outbox(int fd, char *path, size_t size)
{
    char     link[64];
    size_t   len;
    ssize_t  n;

    if (outbox == NULL) {
        return 0;
    }

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, size - 1);

    if (n == -1) {
        return 0;
    }

    path[n] = '\0';
    len = strlen(outbox);

    return strncmp(path, outbox, len) == 0
           && (path[len] == '/' || path[len] == '\0');
}
