
/*
 * nginx with the module, in the process of a fuzzer, and all who talk with it:
 * the client, the endpoint and the app.
 *
 * Its own main() reads a configuration and returns where it would wait for
 * requests (the linker wraps ngx_single_process_cycle()).  Then its event loop
 * is run turn by turn, and between the turns the others read and write.  All
 * of them use UNIX-domain sockets, on which nothing is under way: a turn in
 * which nobody had anything to do will be followed by the same, until a timer
 * expires, and that must not be needed.
 */


#ifndef _FUZZ_NGINX_H_INCLUDED_
#define _FUZZ_NGINX_H_INCLUDED_


#define FUZZ_NGINX
#include "fuzz.h"

#include <ngx_event.h>
#include <ngx_http.h>

#include <dirent.h>
#include <sys/mman.h>


#define NGINX_BUFFER     (512 * 1024)
#define NGINX_CALLS      8
#define NGINX_PEERS      16
#define NGINX_IDLE       32      /* turns */
#define NGINX_PATIENCE   200     /* milliseconds of a timer */
#define NGINX_WAITS      100


/* a request that a peer has got; the texts lie in its buffer */

typedef struct {
    ngx_str_t      head;
    ngx_str_t      body;
} nginx_request_t;


/* the endpoint or the app */

typedef struct {
    const char       *name;
    int               fd;          /* that listens */
    ngx_str_t         answer;
    size_t            piece;       /* the most that is written at once */
    nginx_request_t   request[NGINX_CALLS];
    ngx_uint_t        n;
} nginx_server_t;


/* a connection of theirs */

typedef struct {
    nginx_server_t   *server;      /* NULL: none */
    int               fd;
    u_char           *in;
    size_t            len;
    size_t            sent;
    unsigned          answering:1;
} nginx_peer_t;


typedef struct {
    char              dir[64];
    int               log;
    ngx_cycle_t      *cycle;
    ngx_uint_t        connections;
    ngx_event_t       turn;
    ngx_pool_t       *pool;        /* of this input */
    nginx_server_t    endpoint;
    nginx_server_t    app;
    nginx_peer_t      peer[NGINX_PEERS];
    int               client;
    u_char           *in;
    size_t            len;
} nginx_t;


static nginx_t  nginx;


int nginx_main(int argc, char *const *argv);
void __wrap_ngx_single_process_cycle(ngx_cycle_t *cycle);
ngx_int_t __wrap_ngx_init_signals(ngx_log_t *log);
ngx_int_t __wrap_ngx_log_redirect_stderr(ngx_cycle_t *cycle);
ngx_int_t __wrap_ngx_init_setproctitle(ngx_log_t *log);


/* where nginx would begin to wait for requests */

void
__wrap_ngx_single_process_cycle(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    for (i = 0; cycle->modules[i]; i++) {
        if (cycle->modules[i]->init_process) {
            fuzz_check(cycle->modules[i]->init_process(cycle) == NGX_OK,
                       "a module begins");
        }
    }

    nginx.cycle = cycle;
}


/* signals and standard error are libFuzzer's */

ngx_int_t
__wrap_ngx_init_signals(ngx_log_t *log)
{
    return NGX_OK;
}


ngx_int_t
__wrap_ngx_log_redirect_stderr(ngx_cycle_t *cycle)
{
    return NGX_OK;
}


/* it would move the environment */

ngx_int_t
__wrap_ngx_init_setproctitle(ngx_log_t *log)
{
    return NGX_OK;
}


static inline void
nginx_no_event(ngx_event_t *ev)
{
    /* it is posted for the next turn, so that nginx does not wait in this */
}


static inline int
nginx_socket(const char *name, ngx_uint_t listening)
{
    int                  fd;
    struct sockaddr_un   sun;

    ngx_memzero(&sun, sizeof(struct sockaddr_un));
    sun.sun_family = AF_UNIX;
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", nginx.dir, name);

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    fuzz_check(fd != -1, "there is a socket");

    if (listening) {
        fuzz_check(bind(fd, (struct sockaddr *) &sun, sizeof(sun)) == 0
                   && listen(fd, 64) == 0, "a server listens");

    } else {
        fuzz_check(connect(fd, (struct sockaddr *) &sun, sizeof(sun)) == 0,
                   "nginx is there");
    }

    return fd;
}


/* nothing is left when libFuzzer ends by itself */

static inline void
nginx_remove(void)
{
    char            path[512];
    DIR            *dir;
    struct dirent  *entry;

    dir = opendir(nginx.dir);

    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof(path), "%s/%s", nginx.dir, entry->d_name);
        (void) remove(path);
    }

    if (dir) {
        (void) closedir(dir);
    }

    (void) rmdir(nginx.dir);
}


/* starts nginx with a configuration in which "%s" stands for the directory */

static inline void
nginx_start(void (*write_conf)(FILE *conf, const char *dir))
{
    char         path[128];
    FILE        *conf;
    const char  *tmp;

    tmp = getenv("TMPDIR");
    snprintf(nginx.dir, sizeof(nginx.dir), "%s/fuzz.XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    fuzz_check(mkdtemp(nginx.dir), "there is a directory");
    (void) atexit(nginx_remove);

    nginx.log = memfd_create("log", 0);
    fuzz_check(nginx.log != -1, "there is a log");

    nginx.endpoint.name = "endpoint";
    nginx.app.name = "app";
    nginx.endpoint.fd = nginx_socket(nginx.endpoint.name, 1);
    nginx.app.fd = nginx_socket(nginx.app.name, 1);
    nginx.in = malloc(NGINX_BUFFER);
    fuzz_check(nginx.in, "there is memory");

    snprintf(path, sizeof(path), "%s/conf", nginx.dir);
    conf = fopen(path, "w");
    fuzz_check(conf, "there is a configuration");

    fprintf(conf, "%s daemon off; master_process off; pid %s/pid;\n"
            "error_log /proc/self/fd/%d warn;\n",
            geteuid() ? "" : "user root;", nginx.dir, nginx.log);
    write_conf(conf, nginx.dir);
    fclose(conf);

    {
        char *argv[] = { "nginx", "-p", nginx.dir, "-c", path, "-e",
                         "stderr", NULL };

        fuzz_check(nginx_main(7, argv) == 0 && nginx.cycle, "nginx starts");
    }

    nginx.turn.handler = nginx_no_event;
    nginx.turn.log = nginx.cycle->log;
    nginx.connections = nginx.cycle->free_connection_n;
}


/* what nginx has logged since the last time */

static inline ngx_str_t
nginx_take_log(ngx_pool_t *pool)
{
    ngx_str_t    s;
    struct stat  file;

    fuzz_check(fstat(nginx.log, &file) == 0, "there is a log");

    s.len = file.st_size;
    s.data = fuzz_alloc(pool, s.len);

    /* nginx appends to it */

    fuzz_check(pread(nginx.log, s.data, s.len, 0) == (ssize_t) s.len
               && ftruncate(nginx.log, 0) == 0, "the log is read");

    return s;
}


static inline void
nginx_accept(nginx_server_t *server)
{
    int            fd;
    ngx_uint_t     i;
    nginx_peer_t  *peer;

    fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);
    if (fd == -1) {
        return;
    }

    for (i = 0; i < NGINX_PEERS && nginx.peer[i].server; i++) { /* void */ }

    fuzz_check(i < NGINX_PEERS, "calls are not without number");

    peer = &nginx.peer[i];

    if (peer->in == NULL) {
        peer->in = malloc(NGINX_BUFFER);
        fuzz_check(peer->in, "there is memory");
    }

    peer->server = server;
    peer->fd = fd;
    peer->len = 0;
    peer->sent = 0;
    peer->answering = 0;
}


static inline void
nginx_leave(nginx_peer_t *peer)
{
    (void) close(peer->fd);
    peer->server = NULL;
}


/* the header "name", without blanks around it; its number is returned */

static inline ngx_uint_t
nginx_header(ngx_str_t *head, const char *name, ngx_str_t *value)
{
    u_char      *p, *end, *last;
    ngx_uint_t   n;

    n = 0;
    last = head->data + head->len;

    for (p = head->data; p < last; p = end + 2) {

        end = memmem(p, last - p, CRLF, 2);

        if (end == NULL) {
            break;
        }

        if ((size_t) (end - p) <= strlen(name) || p[strlen(name)] != ':'
            || strncasecmp((char *) p, name, strlen(name)) != 0)
        {
            continue;
        }

        n++;
        value->data = p + strlen(name) + 1;
        value->len = end - value->data;

        while (value->len && *value->data == ' ') {
            value->data++;
            value->len--;
        }
    }

    return n;
}


/* a whole request of nginx's or libcurl's is kept, and may be answered */

static inline void
nginx_receive(nginx_peer_t *peer)
{
    u_char           *end;
    size_t            size;
    ngx_str_t         head, value;
    ngx_uint_t        n;
    nginx_server_t   *server;
    nginx_request_t  *request;

    end = memmem(peer->in, peer->len, CRLF CRLF, 4);

    if (end == NULL) {
        return;
    }

    head.data = peer->in;
    head.len = end + 4 - peer->in;

    fuzz_check(nginx_header(&head, "Transfer-Encoding", &value) == 0,
               "a request's length is known");

    n = nginx_header(&head, "Content-Length", &value);
    fuzz_check(n <= 1, "its length is said once");

    size = n ? (size_t) ngx_atosz(value.data, value.len) : 0;

    if (peer->len - head.len < size) {
        return;
    }

    fuzz_check(peer->len - head.len == size, "nothing is behind a request");

    server = peer->server;
    fuzz_check(server->n < NGINX_CALLS, "requests are not without number");

    request = &server->request[server->n++];
    request->head = fuzz_copy(nginx.pool, head.data, head.len);
    request->body = fuzz_copy(nginx.pool, head.data + head.len, size);

    peer->answering = 1;
}


static inline ngx_uint_t
nginx_peer(nginx_peer_t *peer)
{
    size_t      size;
    ssize_t     n;
    ngx_str_t  *answer;

    if (peer->answering) {
        answer = &peer->server->answer;
        size = ngx_min(answer->len - peer->sent, peer->server->piece);

        n = size ? send(peer->fd, answer->data + peer->sent, size,
                        MSG_NOSIGNAL) : 0;

        if (n > 0) {
            peer->sent += n;
        }

        if (peer->sent == answer->len || (n == -1 && ngx_errno != NGX_EAGAIN))
        {
            nginx_leave(peer);
        }

        return n != -1;
    }

    fuzz_check(peer->len < NGINX_BUFFER, "a request has its bounds");

    n = recv(peer->fd, peer->in + peer->len, NGINX_BUFFER - peer->len, 0);

    if (n > 0) {
        peer->len += n;
        nginx_receive(peer);
        return 1;
    }

    if (n == 0 || ngx_errno != NGX_EAGAIN) {
        nginx_leave(peer);
        return 1;
    }

    return 0;
}


/* the others' turn; returns whether anything was done */

static inline ngx_uint_t
nginx_peers(void)
{
    ngx_uint_t  i, done;

    done = 0;

    nginx_accept(&nginx.endpoint);
    nginx_accept(&nginx.app);

    for (i = 0; i < NGINX_PEERS; i++) {
        if (nginx.peer[i].server) {
            done |= nginx_peer(&nginx.peer[i]);
        }
    }

    return done;
}


/* nginx's turn, in which it does not wait */

static inline void
nginx_turn(void)
{
    ngx_post_event(&nginx.turn, &ngx_posted_next_events);
    ngx_process_events_and_timers(nginx.cycle);
}


/* libcurl has timers of a few milliseconds; anything longer is a wait */

static inline void
nginx_wait(ngx_uint_t *waits)
{
    ngx_msec_t  timer;

    timer = ngx_event_find_timer();

    fuzz_check(timer != NGX_TIMER_INFINITE && timer <= NGINX_PATIENCE
               && ++*waits < NGINX_WAITS, "nobody waits for nothing");

    ngx_process_events_and_timers(nginx.cycle);
}


/* returns whether anything was sent or came; the client's fd is -1 at last */

static inline ngx_uint_t
nginx_client(ngx_str_t *request, size_t *sent, size_t piece)
{
    size_t   size;
    ssize_t  n;

    n = 0;
    size = ngx_min(request->len - *sent, piece);

    if (size) {
        n = send(nginx.client, request->data + *sent, size, MSG_NOSIGNAL);

        if (n > 0) {
            *sent += n;
        }
    }

    fuzz_check(nginx.len < NGINX_BUFFER, "a response has its bounds");

    size = n > 0;
    n = recv(nginx.client, nginx.in + nginx.len, NGINX_BUFFER - nginx.len, 0);

    if (n > 0) {
        nginx.len += n;
        return 1;
    }

    if (n == 0 || ngx_errno != NGX_EAGAIN) {
        (void) close(nginx.client);
        nginx.client = -1;
        return 1;
    }

    return size;
}


/*
 * A client's request to its end, which is the end of the response; sent in
 * pieces.  Nothing of it is left in nginx then.
 */

static inline ngx_str_t
nginx_request(ngx_pool_t *pool, ngx_str_t *request, size_t piece)
{
    size_t      sent;
    ngx_str_t   response;
    ngx_uint_t  idle, waits;

    nginx.pool = pool;
    nginx.endpoint.n = 0;
    nginx.app.n = 0;
    nginx.len = 0;
    nginx.client = nginx_socket("nginx", 0);

    sent = 0;
    waits = 0;

    for (idle = 0; nginx.client != -1; idle++) {

        if (nginx_client(request, &sent, piece) | nginx_peers()) {
            idle = 0;
        }

        if (idle == NGINX_IDLE) {
            nginx_wait(&waits);
            idle = 0;
        }

        nginx_turn();
    }

    for (idle = 0;
         idle < NGINX_IDLE
         && nginx.cycle->free_connection_n != nginx.connections;
         idle++)
    {
        if (nginx_peers()) {
            idle = 0;
        }

        nginx_turn();
    }

    fuzz_check(nginx.cycle->free_connection_n == nginx.connections,
               "no connection is left");

    response.data = nginx.in;
    response.len = nginx.len;

    return response;
}


#endif /* _FUZZ_NGINX_H_INCLUDED_ */
