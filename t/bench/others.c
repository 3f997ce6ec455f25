
/*
 * The app and the endpoint of t/bench/bench, in one process, which does as
 * little as it can: what it takes would be missing to the load.  It reads all
 * of a request before it answers, as an app does; nginx's "return" doesn't,
 * and a gateway may stop to send the rest once it has the answer.
 *
 *     others APP CRM ANSWER
 *
 * On the port APP, it answers how long the body was, which shows whether it
 * was changed; on the port CRM, it answers with ANSWER, as JSON.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD   8192
#define EVENTS 256


typedef enum {
    IN_HEAD,
    IN_BODY,
    IN_CHUNK_SIZE,
    IN_CHUNK,
    AFTER_CHUNK,
    IN_TRAILER,
    COMPLETE
} state_e;


typedef struct {
    int       fd;
    int       is_app;
    int       listens;
    int       close;
    state_e   state;
    size_t    size;             /* of the head, or of the line in it */
    size_t    body;             /* its length so far */
    size_t    left;             /* of the body, or of the chunk */
    char      head[HEAD + 1];
} conn_t;


static conn_t *open_conn(int fd, int is_app, int listens);
static void listen_on(int port, int is_app);
static void accept_all(conn_t *listening);
static void receive(conn_t *c);
static size_t parse(conn_t *c, const char *data, size_t n);
static size_t add_line(conn_t *c, const char *data, size_t n,
    const char *end);
static void read_head(conn_t *c);
static const char *field(conn_t *c, const char *name);
static void answer(conn_t *c);
static void fail(const char *what);


static int          epoll;
static const char  *crm_answer;
static char         received[262144];


int
main(int argc, char **argv)
{
    int                 i, n;
    struct rlimit       limit;
    struct epoll_event  events[EVENTS];

    if (argc != 4) {
        fputs("others APP CRM ANSWER\n", stderr);
        return 2;
    }

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    epoll = epoll_create1(0);
    crm_answer = argv[3];
    listen_on(atoi(argv[1]), 1);
    listen_on(atoi(argv[2]), 0);

    for ( ;; ) {
        n = epoll_wait(epoll, events, EVENTS, -1);

        for (i = 0; i < n; i++) {
            conn_t  *c = events[i].data.ptr;

            if (c->listens) {
                accept_all(c);

            } else {
                receive(c);
            }
        }
    }
}


static conn_t *
open_conn(int fd, int is_app, int listens)
{
    conn_t              *c;
    struct epoll_event   event;

    c = calloc(1, sizeof(conn_t));

    if (c == NULL) {
        fail("memory");
    }

    c->fd = fd;
    c->is_app = is_app;
    c->listens = listens;

    event.events = EPOLLIN;
    event.data.ptr = c;

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        fail("epoll_ctl");
    }

    return c;
}


static void
listen_on(int port, int is_app)
{
    int                 fd, on;
    struct sockaddr_in  addr;

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    on = 1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd == -1
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on))
        || bind(fd, (struct sockaddr *) &addr, sizeof(addr))
        || listen(fd, 4096))
    {
        fail("listen");
    }

    open_conn(fd, is_app, 1);
}


static void
accept_all(conn_t *listening)
{
    int  fd, on;

    on = 1;

    while ((fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK)) != -1) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        open_conn(fd, listening->is_app, 0);
    }
}


static void
receive(conn_t *c)
{
    size_t   used;
    ssize_t  n;

    n = read(c->fd, received, sizeof(received));

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        close(c->fd);
        free(c);
        return;
    }

    for (used = 0; used < (size_t) n && c->state != COMPLETE; ) {
        used += parse(c, received + used, n - used);
    }

    if (used < (size_t) n) {
        fail("a request is longer than it says");
    }

    if (c->state == COMPLETE) {
        answer(c);
    }
}


/* returns how much it has used */

static size_t
parse(conn_t *c, const char *data, size_t n)
{
    size_t  used;

    switch (c->state) {

    case IN_HEAD:
        used = add_line(c, data, n, "\r\n\r\n");

        if (c->state == COMPLETE) {
            read_head(c);
        }

        return used;

    case IN_CHUNK_SIZE:
        used = add_line(c, data, n, "\r\n");

        if (c->state == COMPLETE) {
            c->left = strtoul(c->head, NULL, 16);
            c->state = c->left ? IN_CHUNK : IN_TRAILER;
        }

        return used;

    case AFTER_CHUNK:
        used = add_line(c, data, n, "\r\n");

        if (c->state == COMPLETE) {
            c->state = IN_CHUNK_SIZE;
        }

        return used;

    case IN_TRAILER:
        return add_line(c, data, n, "\r\n");

    default: /* IN_BODY, IN_CHUNK */
        used = n < c->left ? n : c->left;
        c->left -= used;
        c->body += used;

        if (c->left == 0) {
            c->state = c->state == IN_BODY ? COMPLETE : AFTER_CHUNK;
        }

        return used;
    }
}


/* COMPLETE once the end is there, and then without it */

static size_t
add_line(conn_t *c, const char *data, size_t n, const char *end)
{
    size_t  used, len;

    len = strlen(end);

    for (used = 0; used < n; ) {
        if (c->size == HEAD) {
            fail("a request's head is too long");
        }

        c->head[c->size++] = data[used++];

        if (c->size >= len && memcmp(c->head + c->size - len, end, len) == 0)
        {
            c->head[c->size - len] = '\0';
            c->size = 0;
            c->state = COMPLETE;
            break;
        }
    }

    return used;
}


static void
read_head(conn_t *c)
{
    const char  *value;

    value = field(c, "\r\nConnection:");
    c->close = value != NULL
               && strncasecmp(value + strspn(value, " "), "close", 5) == 0;

    c->body = 0;

    if (field(c, "\r\nTransfer-Encoding:") != NULL) {
        c->state = IN_CHUNK_SIZE;
        return;
    }

    value = field(c, "\r\nContent-Length:");

    if (value == NULL) {
        fail("a request does not say how long it is");
    }

    c->left = strtoul(value, NULL, 10);
    c->state = c->left ? IN_BODY : COMPLETE;
}


static const char *
field(conn_t *c, const char *name)
{
    char    *p;
    size_t   len;

    len = strlen(name);

    for (p = c->head; (p = strchr(p, '\r')) != NULL; p++) {
        if (strncasecmp(p, name, len) == 0) {
            return p + len;
        }
    }

    return NULL;
}


static void
answer(conn_t *c)
{
    int   n;
    char  number[32], text[1024];

    snprintf(number, sizeof(number), "%zu", c->body);
    n = snprintf(text, sizeof(text),
                 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
                 "Content-Length: %zu\r\n%s\r\n%s",
                 c->is_app ? "text/plain" : "application/json",
                 strlen(c->is_app ? number : crm_answer),
                 c->close ? "Connection: close\r\n" : "",
                 c->is_app ? number : crm_answer);

    c->state = IN_HEAD;

    if (write(c->fd, text, n) != n || c->close) {
        close(c->fd);
        free(c);
    }
}


static void
fail(const char *what)
{
    fprintf(stderr, "others: %s: %s\n", what, strerror(errno));
    exit(1);
}
