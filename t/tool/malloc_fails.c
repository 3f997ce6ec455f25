
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this lets an allocation
 * fail, whoever makes it: nginx, the module or a library.  A file beside it,
 * malloc_fails.so.left, has a number of 8 bytes that each allocation counts
 * down; the one that finds it at 1 fails.  At 0 none fails.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>


/* glibc's own, which need no dlsym(): it allocates memory itself */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);


static int must_fail(void);


static volatile int64_t  *left;


static void __attribute__((constructor))
map_file(void)
{
    int      fd;
    char     name[4096];
    void    *p;
    Dl_info  info;

    if (dladdr((void *) map_file, &info) == 0) {
        abort();
    }

    (void) snprintf(name, sizeof(name), "%s.left", info.dli_fname);
    fd = open(name, O_RDWR);

    if (fd == -1) {
        abort();
    }

    p = mmap(NULL, sizeof(int64_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        abort();
    }

    (void) close(fd);
    left = p;
}


static int
must_fail(void)
{
    if (left == NULL || *left == 0) {
        return 0;
    }

    *left -= 1;

    if (*left) {
        return 0;
    }

    errno = ENOMEM;

    return 1;
}


void *
malloc(size_t size)
{
    return must_fail() ? NULL : __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    return must_fail() ? NULL : __libc_realloc(p, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    if (must_fail()) {
        return ENOMEM;
    }

    *p = __libc_memalign(alignment, size);

    return *p ? 0 : ENOMEM;
}
