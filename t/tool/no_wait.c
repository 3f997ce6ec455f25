
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this makes its
 * connections so fast that nobody ever has to wait for them: connect() returns
 * when the connection is there, and send() when the peer has answered, or has
 * closed.  So libcurl finds the answer before it has asked for any event.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>


#define FDS    1024
#define LIMIT  60000                /* ms */


typedef int (*connect_t)(int fd, const struct sockaddr *addr, socklen_t len);
typedef ssize_t (*send_t)(int fd, const void *buf, size_t len, int flags);


static void wait_for(int fd, short events);


static char  connected[FDS];


int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int        rc, error;
    socklen_t  size;
    connect_t  real;

    real = (connect_t) dlsym(RTLD_NEXT, "connect");
    rc = real(fd, addr, len);

    if (rc == -1 && errno == EINPROGRESS) {
        wait_for(fd, POLLOUT);

        size = sizeof(int);
        rc = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);

        if (rc == 0 && error) {
            errno = error;
            rc = -1;
        }
    }

    if (rc == 0 && fd < FDS) {
        connected[fd] = 1;
    }

    return rc;
}


ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
    send_t   real;
    ssize_t  n;

    real = (send_t) dlsym(RTLD_NEXT, "send");
    n = real(fd, buf, len, flags);

    if (n > 0 && fd < FDS && connected[fd]) {
        wait_for(fd, POLLIN);
    }

    return n;
}


static void
wait_for(int fd, short events)
{
    struct pollfd  p;

    p.fd = fd;
    p.events = events;

    while (poll(&p, 1, LIMIT) == -1 && errno == EINTR) {
        continue;
    }
}
