
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this lets epoll_ctl()
 * fail for one socket: the next that is added and is not a client's.  A file
 * beside it, epoll_fails.so.port, has the port to which clients connect, and is
 * removed then.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>


typedef int (*epoll_ctl_t)(int epfd, int op, int fd, struct epoll_event *event);


static int must_fail(int fd);


int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    if (op == EPOLL_CTL_ADD && must_fail(fd)) {
        errno = ENOMEM;
        return -1;
    }

    return ((epoll_ctl_t) dlsym(RTLD_NEXT, "epoll_ctl"))(epfd, op, fd, event);
}


static int
must_fail(int fd)
{
    int                 port, found;
    char                name[4096];
    FILE               *file;
    Dl_info             info;
    socklen_t           len;
    struct sockaddr_in  local;

    len = sizeof(local);

    if (getsockname(fd, (struct sockaddr *) &local, &len) == -1
        || local.sin_family != AF_INET
        || dladdr((void *) must_fail, &info) == 0)
    {
        return 0;
    }

    (void) snprintf(name, sizeof(name), "%s.port", info.dli_fname);
    file = fopen(name, "r");

    if (file == NULL) {
        return 0;
    }

    found = fscanf(file, "%d", &port);
    (void) fclose(file);

    if (found != 1 || ntohs(local.sin_port) == port) {
        return 0;
    }

    (void) unlink(name);

    return 1;
}
