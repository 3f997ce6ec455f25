
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this makes the process
 * stand still between learning of many events and handling them, for longer
 * than libcurl's timers run.  So libcurl handles all of them by its timers
 * when nginx comes with the first.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <sys/epoll.h>
#include <unistd.h>


#define MANY   5
#define LATER  2                    /* seconds */


typedef int (*epoll_wait_t)(int ep, struct epoll_event *events, int n,
    int timeout);


int
epoll_wait(int ep, struct epoll_event *events, int n, int timeout)
{
    int           rc;
    epoll_wait_t  real;

    real = (epoll_wait_t) dlsym(RTLD_NEXT, "epoll_wait");
    rc = real(ep, events, n, timeout);

    if (rc >= MANY) {
        (void) sleep(LATER);
    }

    return rc;
}
