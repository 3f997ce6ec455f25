
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this makes a disk full:
 * once there is a file beside it, full_disk.so.room, as many bytes as that file
 * says can be written to files for request bodies, and the rest fails as on a
 * full disk.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>


typedef ssize_t (*pwrite_t)(int fd, const void *buf, size_t n, off_t offset);
typedef ssize_t (*pwritev_t)(int fd, const struct iovec *iov, int n,
    off_t offset);


static int is_full(int fd, size_t n);
static int has_body(int fd);
static size_t length(const struct iovec *iov, int n);


static size_t  used;


ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    if (is_full(fd, n)) {
        return -1;
    }

    return ((pwrite_t) dlsym(RTLD_NEXT, "pwrite"))(fd, buf, n, offset);
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off_t offset)
{
    if (is_full(fd, n)) {
        return -1;
    }

    return ((pwrite_t) dlsym(RTLD_NEXT, "pwrite64"))(fd, buf, n, offset);
}


ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    if (is_full(fd, length(iov, n))) {
        return -1;
    }

    return ((pwritev_t) dlsym(RTLD_NEXT, "pwritev"))(fd, iov, n, offset);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off_t offset)
{
    if (is_full(fd, length(iov, n))) {
        return -1;
    }

    return ((pwritev_t) dlsym(RTLD_NEXT, "pwritev64"))(fd, iov, n, offset);
}


static size_t
length(const struct iovec *iov, int n)
{
    int     i;
    size_t  sum;

    sum = 0;

    for (i = 0; i < n; i++) {
        sum += iov[i].iov_len;
    }

    return sum;
}


static int
is_full(int fd, size_t n)
{
    int      found;
    char     name[4096];
    FILE    *file;
    size_t   room;
    Dl_info  info;

    if (!has_body(fd) || !dladdr((void *) is_full, &info)) {
        return 0;
    }

    (void) snprintf(name, sizeof(name), "%s.room", info.dli_fname);
    file = fopen(name, "r");

    if (file == NULL) {
        used = 0;
        return 0;
    }

    found = fscanf(file, "%zu", &room);
    (void) fclose(file);

    if (found != 1 || used + n <= room) {
        used += n;
        return 0;
    }

    errno = ENOSPC;
    return 1;
}


static int
has_body(int fd)
{
    char     link[64], name[4096];
    ssize_t  n;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, name, sizeof(name) - 1);

    if (n == -1) {
        return 0;
    }

    name[n] = '\0';

    return strstr(name, "/client_body_temp/") != NULL;
}
