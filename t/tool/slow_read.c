
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this makes a file slow:
 * pread() takes a fiftieth of a second.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <unistd.h>


#define TIME  20000                 /* microseconds */


typedef ssize_t (*pread_t)(int fd, void *buf, size_t n, off_t offset);


static ssize_t slow(const char *name, int fd, void *buf, size_t n,
    off_t offset);


ssize_t
pread(int fd, void *buf, size_t n, off_t offset)
{
    return slow("pread", fd, buf, n, offset);
}


ssize_t
pread64(int fd, void *buf, size_t n, off_t offset)
{
    return slow("pread64", fd, buf, n, offset);
}


static ssize_t
slow(const char *name, int fd, void *buf, size_t n, off_t offset)
{
    pread_t  real;

    (void) usleep(TIME);

    real = (pread_t) dlsym(RTLD_NEXT, name);

    return real(fd, buf, n, offset);
}
