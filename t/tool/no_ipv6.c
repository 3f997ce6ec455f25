/*
 * Loaded into nginx before the C library (LD_PRELOAD), this lets no socket of
 * IPv6 be made, as if there were no descriptor for it.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>


typedef int (*socket_t)(int domain, int type, int protocol);


int
socket(int domain, int type, int protocol)
{
    static socket_t  real;

    if (domain == AF_INET6) {
        errno = EMFILE;
        return -1;
    }

    if (!real) {
        real = (socket_t) dlsym(RTLD_NEXT, "socket");
    }

    return real(domain, type, protocol);
}
