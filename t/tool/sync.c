
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this makes fsync() and
 * fdatasync() wait as long as there is a file beside it, sync.so.wait, and
 * create sync.so.waits meanwhile; they fail if there is sync.so.fail.  If there
 * is sync.so.full, the disk has no room for the line that says that the app is
 * called; with sync.so.mute, for none that says what a person has decided.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>


typedef int (*sync_t)(int fd);
typedef ssize_t (*write_t)(int fd, const void *buf, size_t len, off64_t at);


static int synced(const char *function, int fd);
static int is_line(const void *buf, size_t len, const char *part);
static int is_there(const char *end, int create);


int
fsync(int fd)
{
    return synced("fsync", fd);
}


int
fdatasync(int fd)
{
    return synced("fdatasync", fd);
}


ssize_t
pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
    if ((is_line(buf, len, "\"line\":\"mark\"") && is_there("full", 0))
        || (is_line(buf, len, "\"line\":\"again\"") && is_there("mute", 0)))
    {
        errno = ENOSPC;
        return -1;
    }

    return ((write_t) dlsym(RTLD_NEXT, "pwrite64"))(fd, buf, len, at);
}


static int
synced(const char *function, int fd)
{
    while (is_there("wait", 0)) {
        (void) is_there("waits", O_CREAT);
        (void) usleep(5000);
    }

    if (is_there("fail", 0)) {
        errno = EIO;
        return -1;
    }

    return ((sync_t) dlsym(RTLD_NEXT, function))(fd);
}


static int
is_line(const void *buf, size_t len, const char *part)
{
    return memmem(buf, len, part, strlen(part)) != NULL;
}


static int
is_there(const char *end, int create)
{
    int      fd;
    char     name[4096];
    Dl_info  info;

    if (!dladdr((void *) synced, &info)) {
        return 0;
    }

    (void) snprintf(name, sizeof(name), "%s.%s", info.dli_fname, end);

    fd = open(name, O_WRONLY|create, 0600);
    if (fd == -1) {
        return 0;
    }

    (void) close(fd);

    return 1;
}
