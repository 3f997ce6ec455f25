
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this makes its
 * connections so fast that nobody ever has to wait for them: connect() returns
 * when the connection is there, and send() when the peer has answered, or has
 * closed.  So libcurl finds the answer before it has asked for any event.
 *
 * The peer must be another process, and must answer each send().  A call to
 * /again waits as usual on a connection that was used before.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>


#define FDS    1024
#define LIMIT  60000                /* ms */


typedef int (*connect_t)(int fd, const struct sockaddr *addr, socklen_t len);
typedef ssize_t (*send_t)(int fd, const void *buf, size_t len, int flags);
typedef int (*close_t)(int fd);


static void wait_for(int fd, short events);


static int  sent[FDS];              /* -1: not a connection of nginx's */


static void __attribute__((constructor))
forget_all(void)
{
    int  fd;

    for (fd = 0; fd < FDS; fd++) {
        sent[fd] = -1;
    }
}


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
        sent[fd] = 0;
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

    if (n > 0 && fd < FDS && sent[fd] >= 0) {

        if (sent[fd]++ == 0 || memmem(buf, len, "/again ", 7) == NULL) {
            wait_for(fd, POLLIN);
        }
    }

    return n;
}


int
close(int fd)
{
    close_t  real;

    if (fd >= 0 && fd < FDS) {
        sent[fd] = -1;
    }

    real = (close_t) dlsym(RTLD_NEXT, "close");

    return real(fd);
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
