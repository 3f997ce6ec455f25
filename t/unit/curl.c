
/*
 * libcurl's idle connections by a clock that the test sets: when the next
 * sweep is planned, which connection has to go, that a sweep opens nothing and
 * asks nobody, and that those are known for which libcurl has not waited; and
 * how many easy handles are kept.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/wait.h>
#include <poll.h>

#include "tap.h"

#include "ngx_flowdash_curl_idle.c"
#include "ngx_flowdash_curl_open.c"
#include "ngx_flowdash_curl_conn.c"
#include "ngx_flowdash_curl_socket.c"
#include "ngx_flowdash_curl_handle.c"
#include "ngx_flowdash_curl_sweep.c"
#include "ngx_flowdash_curl_tcp.c"
#include "ngx_flowdash_curl_tls.c"
#include "ngx_flowdash_curl_use.c"


#define TEST_HANDLES  (NGX_FLOWDASH_CURL_HANDLE_IDLE + 2)
#define TEST_SOCKETS  8


/* a server in a process of its own */

typedef struct {
    pid_t          pid;
    ngx_socket_t   control;     /* closing it ends the server */
    char           url[64];
} test_server_t;


static CURLM       *test_multi;
static CURLSH      *test_share;
static ngx_uint_t   test_setups;


static void test_start(void);
static void test_end_all(void);
static ngx_uint_t planned(ngx_msec_t time);
static CURLcode sweep(void);
static CURLcode run(void);
static void swept(void);
static void test_plans(void);
static void test_order(void);
static void test_ports(void);
static void test_exit(void);
static void test_sweeps(void);
static void test_kept(void);
static ngx_int_t add_event(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t flags);
static ngx_int_t del_event(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t flags);
static void test_handles(void);
static CURLcode call(CURL *easy, test_server_t *server, ngx_uint_t watch);
static size_t discard(char *p, size_t size, size_t n, void *data);
static void server_start(test_server_t *server);
static int server_end(test_server_t *server);
static int serve(ngx_socket_t fd, ngx_socket_t control);
static ngx_int_t setup(CURL *easy, void *data);


int
main(void)
{
    (void) test_begin(0);

    ngx_use_stderr = 0;
    ngx_time_init();
    (void) ngx_strerror_init();
    (void) ngx_event_timer_init(&test_log);

    test_plans();
    test_order();
    test_ports();
    test_exit();
    test_sweeps();
    test_kept();
    test_handles();

    return test_end();
}


/* a worker that keeps idle connections for 60 seconds, at 1,000 ms */

static void
test_start(void)
{
    ngx_current_msec = 1000;

    test_multi = curl_multi_init();
    test_share = curl_share_init();

    ngx_flowdash_curl_handle_init(&test_log, test_share, 32, 60, 3600);
    ngx_flowdash_curl_socket_init(&test_log, NULL, NULL, NULL);

    ok(ngx_flowdash_curl_socket_attach(test_multi) == NGX_OK
       && ngx_flowdash_curl_sweep_init(&test_log, 60) == NGX_OK,
       "a worker starts");
}


static void
test_end_all(void)
{
    ngx_flowdash_curl_handle_exit();
    ngx_flowdash_curl_sweep_exit();

    ok(!ngx_flowdash_curl_idles.timer.timer_set, "no sweep is planned");

    (void) curl_multi_cleanup(test_multi);
    (void) curl_share_cleanup(test_share);

    ngx_flowdash_curl_socket_exit();
}


ngx_int_t
ngx_flowdash_curl_multi_add(CURL *easy)
{
    return curl_multi_add_handle(test_multi, easy) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_flowdash_curl_multi_remove(CURL *easy)
{
    return curl_multi_remove_handle(test_multi, easy) ? NGX_ERROR : NGX_OK;
}


static ngx_uint_t
planned(ngx_msec_t time)
{
    return ngx_flowdash_curl_idles.timer.timer_set
           && ngx_flowdash_curl_idles.timer.timer.key == time;
}


/* what nginx does when the timer expires, and libcurl then */

static CURLcode
sweep(void)
{
    ngx_event_t  *timer;

    timer = &ngx_flowdash_curl_idles.timer;

    ngx_del_timer(timer);
    timer->handler(timer);

    return run();
}


static void
swept(void)
{
    ok(ngx_flowdash_curl_sweep_is_ended(ngx_flowdash_curl_sweep.easy),
       "the sweep has ended");
}


static CURLcode
run(void)
{
    int       n;
    CURLMsg  *msg;

    do {
        (void) curl_multi_perform(test_multi, &n);

        if (n) {
            (void) curl_multi_poll(test_multi, NULL, 0, 1000, NULL);
        }

    } while (n);

    msg = curl_multi_info_read(test_multi, &n);

    return msg ? msg->data.result : CURLE_OK;
}


static void
test_plans(void)
{
    int                       fd[2];
    ngx_flowdash_curl_idle_t  a, b;

    ngx_memzero(&a, sizeof(ngx_flowdash_curl_idle_t));
    ngx_memzero(&b, sizeof(ngx_flowdash_curl_idle_t));

    test_start();

    ok(!ngx_flowdash_curl_idles.timer.timer_set, "nothing is idle: no sweep");

    ngx_flowdash_curl_idle_add(&a);
    ok(planned(62000), "a sweep in 60 seconds and one");

    ngx_current_msec = 41000;
    ngx_flowdash_curl_idle_add(&b);
    ok(planned(62000), "the next one does not put it off");

    ngx_current_msec = 62000;
    (void) sweep();
    ngx_flowdash_curl_idle_remove(&a);
    swept();
    ok(planned(102000), "the next sweep is for the other");

    ngx_current_msec = 101999;
    (void) sweep();
    swept();
    ok(planned(102000), "too early by a millisecond: one more");

    ngx_current_msec = 102000;
    (void) sweep();
    swept();
    ok(planned(103100), "libcurl has not closed it: again");

    ngx_current_msec = 102500;
    ngx_flowdash_curl_idle_remove(&b);
    ngx_flowdash_curl_idle_add(&b);
    ok(planned(103100), "used again: what is planned stays");

    ngx_current_msec = 103100;
    (void) sweep();
    swept();
    ok(planned(163500), "and the next is for its new time");

    ngx_flowdash_curl_idle_suspect(&b);
    ok(planned(104200), "a suspect: a sweep soon");

    ngx_current_msec = 104200;
    (void) sweep();
    swept();
    ok(planned(105300), "still there: again");

    ngx_current_msec = 105300;
    (void) sweep();
    ngx_flowdash_curl_idle_remove(&b);
    swept();
    ok(!ngx_flowdash_curl_idles.timer.timer_set, "gone: no more");

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1) {
        abort();
    }

    ngx_flowdash_curl_idle_shutdown(fd[0]);
    ok(planned(106400), "a socket is shut down: a sweep soon");

    ngx_current_msec = 106400;
    (void) sweep();
    swept();
    ok(planned(107500), "in which libcurl may not have looked: again");

    ngx_current_msec = 107500;
    (void) sweep();
    swept();
    ok(!ngx_flowdash_curl_idles.timer.timer_set, "and no more");

    (void) close(fd[0]);
    (void) close(fd[1]);

    test_end_all();
}


static void
test_order(void)
{
    ngx_uint_t                i;
    ngx_flowdash_curl_idle_t  c[4];

    ngx_memzero(c, sizeof(c));

    test_start();

    ok(ngx_flowdash_curl_idle_get() == NULL, "none is idle");
    ok(ngx_flowdash_curl_idle_get_excess(0) == NULL, "none is too much");

    for (i = 0; i < 4; i++) {
        ngx_flowdash_curl_idle_add(&c[i]);
    }

    ok(ngx_flowdash_curl_idle_get_excess(4) == NULL, "four of four");
    ok(ngx_flowdash_curl_idle_get_excess(3) == &c[0], "four of three");
    ok(ngx_flowdash_curl_idle_get() == &c[0], "the oldest may go");

    ngx_flowdash_curl_idle_suspect(&c[2]);
    ok(ngx_flowdash_curl_idle_get_excess(3) == NULL,
       "a suspect does not count");
    ok(ngx_flowdash_curl_idle_get_excess(2) == &c[0], "the oldest is too much");
    ok(ngx_flowdash_curl_idle_get() == &c[2], "but the suspect goes first");

    ngx_flowdash_curl_idle_remove(&c[2]);
    ok(!c[2].added && ngx_flowdash_curl_idle_get_excess(3) == NULL
       && ngx_flowdash_curl_idle_get_excess(2) == &c[0], "it is used again");

    ngx_flowdash_curl_idle_add(&c[2]);
    ok(ngx_flowdash_curl_idle_get_excess(3) == &c[0], "and idle");

    ngx_flowdash_curl_idle_suspect(&c[0]);
    ngx_flowdash_curl_idle_suspect(&c[1]);
    ok(ngx_flowdash_curl_idle_get() == &c[0], "the first suspect");
    ok(ngx_flowdash_curl_idle_get_excess(1) == &c[3], "and the oldest");

    for (i = 0; i < 4; i++) {
        ngx_flowdash_curl_idle_remove(&c[i]);
    }

    ok(ngx_flowdash_curl_idle_get() == NULL
       && ngx_flowdash_curl_idle_get_excess(0) == NULL, "none is left");

    test_end_all();
}


/* which of the idle connections a request is sent on, by its port */

static void
test_ports(void)
{
    CURL                      *easy;
    ngx_cycle_t                cycle;
    ngx_log_t                  log;
    ngx_uint_t                 i;
    ngx_connection_t           connections[6];
    volatile ngx_cycle_t      *before;
    ngx_flowdash_curl_use_t    use;
    ngx_flowdash_curl_conn_t   c[6];

    static ngx_uint_t  ports[] = { 1, 2, 3, 3, 4, 4 };
    static ngx_uint_t  http2[] = { 0, 1, 1, 0, 1, 1 };

    test_start();

    easy = curl_easy_init();

    ngx_memzero(&use, sizeof(use));
    ngx_memzero(c, sizeof(c));
    ngx_memzero(connections, sizeof(connections));
    ngx_memzero(&cycle, sizeof(cycle));
    ngx_memzero(&log, sizeof(log));

    ngx_queue_init(&cycle.reusable_connections_queue);

    before = ngx_cycle;
    ngx_cycle = &cycle;

    ngx_flowdash_curl_conn_init(&log);

    for (i = 0; i < 6; i++) {
        connections[i].log = &log;
        c[i].connection = &connections[i];
        c[i].port = ports[i];
        c[i].http2 = http2[i];
        ngx_flowdash_curl_conn_add_idle(&c[i]);
    }

    ok(ngx_flowdash_curl_socket_use(&use, easy, 3) && use.place == NULL,
       "one of two, perhaps HTTP/1: it is not clear which, nor HTTP/2");
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 4) && use.place == NULL,
       "one of two, and both have HTTP/2");
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 2) && use.place == NULL,
       "HTTP/2");
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 5) && use.place == NULL,
       "none that is idle");
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 513) && use.place == NULL,
       "one whose port is alike");
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 0) && use.place == NULL,
       "no port");
    ok(ngx_flowdash_curl_socket_use(&use, easy, 1) && use.place == &c[0].use
       && c[0].use == &use, "HTTP/1");

    ngx_flowdash_curl_use_end(&use);
    ok(c[0].use == NULL && use.place == NULL, "and parted again");

    ngx_flowdash_curl_conn_suspect(&c[3]);
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 3) && use.place == NULL,
       "the one with HTTP/1 is suspected");

    ngx_flowdash_curl_conn_suspect(&c[0]);
    ok(!ngx_flowdash_curl_socket_use(&use, easy, 1) && use.place == NULL,
       "a suspect is not used");

    for (i = 0; i < 6; i++) {
        ngx_flowdash_curl_conn_remove_idle(&c[i]);
    }

    ok(!ngx_flowdash_curl_socket_use(&use, easy, 2) && use.place == NULL
       && cycle.reusable_connections_n == 0, "none is left");

    ngx_cycle = before;

    curl_easy_cleanup(easy);

    test_end_all();
}


static void
test_exit(void)
{
    ngx_event_t               *timer;
    ngx_flowdash_curl_idle_t   c;

    ngx_memzero(&c, sizeof(ngx_flowdash_curl_idle_t));

    test_start();

    ngx_flowdash_curl_idle_add(&c);

    timer = &ngx_flowdash_curl_idles.timer;
    ngx_del_timer(timer);
    timer->handler(timer);

    test_end_all();     /* while a sweep is running */

    ngx_flowdash_curl_idle_suspect(&c);
    ok(!timer->timer_set, "nor is one by what is closed at the exit");
}


/*
 * A sweep looks as a call to port 80 of this machine would.  With the port of
 * a server to which there is an idle connection, it must not use that.
 */

static void
test_sweeps(void)
{
    CURL           *easy;
    test_server_t   server;

    test_start();
    server_start(&server);

    easy = ngx_flowdash_curl_handle_create_easy();
    ok(call(easy, &server, 0) == CURLE_OK, "a call");

    (void) curl_easy_setopt(ngx_flowdash_curl_sweep.easy, CURLOPT_URL,
                            server.url);
    ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
    ok(sweep() != CURLE_OK, "a sweep fails");
    swept();

    ngx_flowdash_curl_idle_plan(NGX_FLOWDASH_CURL_IDLE_SOON);
    ok(sweep() != CURLE_OK, "the next one, too");
    swept();

    ok(server_end(&server) == 101,
       "the server has seen one connection with one request");

    curl_easy_cleanup(easy);
    test_end_all();
}


/* curl_multi_perform() tells nobody what it waits for */

static void
test_kept(void)
{
    CURL                             *easy;
    ngx_uint_t                        i;
    ngx_cycle_t                       cycle;
    ngx_event_t                       events[4];
    ngx_connection_t                  connections[2];
    test_server_t                     server;
    ngx_atomic_t                      number;
    ngx_flowdash_curl_idle_t         *idle;

    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    ngx_memzero(events, sizeof(events));
    ngx_memzero(connections, sizeof(connections));

    for (i = 0; i < 2; i++) {
        connections[i].read = &events[i];
        connections[i].write = &events[2 + i];
        connections[i].data = (i == 0) ? &connections[1] : NULL;
        connections[i].fd = (ngx_socket_t) -1;
    }

    number = 0;

    cycle.log = &test_log;
    cycle.connections = connections;
    cycle.connection_n = 2;
    cycle.free_connections = connections;
    cycle.free_connection_n = 2;
    ngx_queue_init(&cycle.reusable_connections_queue);

    ngx_cycle = &cycle;
    ngx_connection_counter = &number;
    ngx_event_actions.add = add_event;
    ngx_event_actions.del = del_event;

    test_start();
    server_start(&server);

    easy = ngx_flowdash_curl_handle_create_easy();
    ok(call(easy, &server, 1) == CURLE_OK, "a call without waiting");

    idle = ngx_flowdash_curl_idle_get();
    ok(idle && idle->since == 1000, "its connection is known");
    ok(connections[0].read->active && !connections[0].write->active,
       "and watched for reading");

    ngx_current_msec = 5000;
    ok(call(easy, &server, 1) == CURLE_OK, "the next call");
    ok(idle == ngx_flowdash_curl_idle_get() && idle->since == 5000,
       "its connection was used");
    ok(ngx_flowdash_curl_idle_get_excess(1) == NULL
       && cycle.free_connection_n == 1 && number == 1, "and is still one");

    ngx_flowdash_curl_idle_suspect(idle);
    (void) del_event(connections[0].read, NGX_READ_EVENT, 0);
    ok(call(easy, &server, 1) == CURLE_OK, "one more");
    ok(ngx_flowdash_curl_idle_get_excess(0) == idle
       && connections[0].read->active, "a suspect is watched again");

    cycle.free_connection_n = 0;
    (void) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    ok(call(easy, &server, 1) == CURLE_OK, "a call on another connection");
    ok(ngx_flowdash_curl_idle_get() == idle
       && ngx_flowdash_curl_idle_get_excess(1) == NULL,
       "for which nginx has none");

    cycle.free_connection_n = 1;
    ngx_flowdash_curl_socket_limit(1);
    ok(ngx_flowdash_curl_idle_get_excess(0) == idle, "one may be kept");

    ngx_flowdash_curl_socket_limit(0);
    ok(ngx_flowdash_curl_idle_get_excess(0) == NULL
       && !connections[0].read->active, "now none");

    (void) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
    ok(call(easy, &server, 1) == CURLE_OK, "after that, a call");
    ok(server_end(&server) == 305,
       "both were shut down: a third connection, five requests");

    curl_easy_cleanup(easy);
    test_end_all();

    ok(cycle.free_connection_n == 2, "nginx's connections are back");
}


static ngx_int_t
add_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    ev->active = 1;

    return NGX_OK;
}


static ngx_int_t
del_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    ev->active = 0;

    return NGX_OK;
}


static void
test_handles(void)
{
    ngx_uint_t                    i;
    ngx_flowdash_curl_handle_t   *handle[TEST_HANDLES];
    ngx_flowdash_curl_handles_t   handles;

    ngx_memzero(&handles, sizeof(ngx_flowdash_curl_handles_t));
    handles.setup = setup;

    ngx_flowdash_curl_handle_forget(&handles);

    test_start();

    for (i = 0; i < TEST_HANDLES; i++) {
        handle[i] = ngx_flowdash_curl_handle_get(&handles, &handles);
    }

    ok(test_setups == TEST_HANDLES, "each handle is set up");
    ok(ngx_flowdash_curl_handle_user(handle[1]->easy) == &handles,
       "it knows its user");

    for (i = 0; i < TEST_HANDLES; i++) {
        ngx_flowdash_curl_handle_put(handle[i], 0);
    }

    ok(ngx_flowdash_curl_handle_user(handle[1]->easy) == NULL,
       "and forgets him");

    for (i = 0; i < TEST_HANDLES; i++) {
        handle[i] = ngx_flowdash_curl_handle_get(&handles, &handles);
    }

    ok(test_setups == TEST_HANDLES + 2, "all that may be kept were kept");

    for (i = 0; i < TEST_HANDLES; i++) {
        ngx_flowdash_curl_handle_put(handle[i], 0);
    }

    ngx_flowdash_curl_handle_forget(&handles);

    handle[0] = ngx_flowdash_curl_handle_get(&handles, &handles);
    ok(test_setups == TEST_HANDLES + 3, "none is left after forgetting");

    ngx_flowdash_curl_handle_put(handle[0], 1);
    ok(handles.nidle == 0, "a worn one is not kept");

    handle[0] = ngx_flowdash_curl_handle_get(&handles, &handles);
    ngx_flowdash_curl_handle_put(handle[0], 0);
    ok(handles.nidle == 1, "one that is not");

    test_end_all();
    ok(ngx_queue_empty(&handles.idle), "nor after the exit");
}


static ngx_int_t
setup(CURL *easy, void *data)
{
    test_setups++;

    return NGX_OK;
}


static CURLcode
call(CURL *easy, test_server_t *server, ngx_uint_t watch)
{
    CURLcode  rc;

    (void) curl_easy_setopt(easy, CURLOPT_URL, server->url);
    (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    (void) curl_multi_add_handle(test_multi, easy);

    rc = run();

    if (watch) {
        ngx_flowdash_curl_socket_watch_kept(easy);
    }

    (void) curl_multi_remove_handle(test_multi, easy);

    return rc;
}


static size_t
discard(char *p, size_t size, size_t n, void *data)
{
    return size * n;
}


static void
server_start(test_server_t *server)
{
    int                 control[2];
    socklen_t           len;
    ngx_socket_t        fd;
    struct sockaddr_in  sin;

    len = sizeof(struct sockaddr_in);

    ngx_memzero(&sin, sizeof(struct sockaddr_in));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *) &sin, len) == -1
        || listen(fd, TEST_SOCKETS) == -1
        || getsockname(fd, (struct sockaddr *) &sin, &len) == -1
        || pipe(control) == -1)
    {
        perror("server");
        exit(1);
    }

    (void) snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u/",
                    ntohs(sin.sin_port));

    server->control = control[1];
    server->pid = fork();

    if (server->pid == 0) {
        (void) close(control[1]);
        _exit(serve(fd, control[0]));
    }

    (void) close(control[0]);
    (void) close(fd);
}


/* returns how many connections there were, times 100, and how many requests */

static int
server_end(test_server_t *server)
{
    int  status;

    (void) close(server->control);

    if (waitpid(server->pid, &status, 0) != server->pid || !WIFEXITED(status)) {
        return -1;
    }

    return WEXITSTATUS(status) / 10 * 100 + WEXITSTATUS(status) % 10;
}


/* a call is so small that it comes as one */

static int
serve(ngx_socket_t fd, ngx_socket_t control)
{
    int            requests;
    char           buf[4096];
    nfds_t         n, i;
    struct pollfd  p[TEST_SOCKETS + 2];

    ngx_memzero(p, sizeof(p));

    p[0].fd = control;
    p[1].fd = fd;
    p[0].events = p[1].events = POLLIN;

    requests = 0;
    n = 2;

    while (poll(p, n, -1) > 0 && p[0].revents == 0) {

        for (i = 2; i < n; i++) {

            if (p[i].revents == 0) {
                continue;
            }

            if (recv(p[i].fd, buf, sizeof(buf), 0) <= 0) {
                (void) close(p[i].fd);
                p[i].fd = -1;
                continue;
            }

            requests++;
            (void) send(p[i].fd, "HTTP/1.1 204 No Content\r\n\r\n", 27, 0);
        }

        if (p[1].revents && n < TEST_SOCKETS + 2) {
            p[n].fd = accept(fd, NULL, NULL);
            p[n].events = POLLIN;
            p[n].revents = 0;
            n++;
        }
    }

    return (n - 2) * 10 + requests;
}
