
/*
 * libcurl's sockets as connections of nginx's: their events, and what happens
 * to them while they are idle.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>
#include <ngx_flowdash_curl_open.h>
#include <ngx_flowdash_curl_conn.h>
#include <ngx_flowdash_curl_socket.h>


typedef struct {
    CURLM                               *multi;
    ngx_log_t                           *log;
    ngx_flowdash_curl_socket_event_pt    event;
    ngx_flowdash_curl_socket_fail_pt     fail;
    ngx_flowdash_curl_socket_idle_pt     idle;
} ngx_flowdash_curl_sockets_t;


static int ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd,
    int what, void *data, void *socket);
static ngx_int_t ngx_flowdash_curl_socket_watch(ngx_flowdash_curl_conn_t *s,
    CURL *easy, int what);
static ngx_int_t ngx_flowdash_curl_socket_get(curl_socket_t fd,
    ngx_connection_t **cp);
static void ngx_flowdash_curl_socket_event(ngx_event_t *ev);

static ngx_int_t ngx_flowdash_curl_socket_set_idle(ngx_connection_t *c,
    CURL *easy);
static void ngx_flowdash_curl_socket_suspect(ngx_flowdash_curl_conn_t *s,
    ngx_uint_t shutdown);


static ngx_flowdash_curl_sockets_t  ngx_flowdash_curl_sockets;


void
ngx_flowdash_curl_socket_init(ngx_log_t *log,
    ngx_flowdash_curl_socket_event_pt event,
    ngx_flowdash_curl_socket_fail_pt fail,
    ngx_flowdash_curl_socket_idle_pt idle)
{
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;

    ngx_memzero(ss, sizeof(ngx_flowdash_curl_sockets_t));

    ss->log = log;
    ss->event = event;
    ss->fail = fail;
    ss->idle = idle;

    ngx_flowdash_curl_tls_init();
    ngx_flowdash_curl_conn_init(log);
    ngx_flowdash_curl_open_init(log);
}


ngx_int_t
ngx_flowdash_curl_socket_attach(CURLM *multi)
{
    ngx_flowdash_curl_sockets.multi = multi;

    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
                          ngx_flowdash_curl_socket_handler)
        != CURLM_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_flowdash_curl_socket_close_all(void)
{
    ngx_flowdash_curl_conn_free_all();
    ngx_flowdash_curl_open_close_all();
}


void
ngx_flowdash_curl_socket_exit(void)
{
    ngx_flowdash_curl_conn_free_all();
    ngx_flowdash_curl_open_exit();
}


/*
 * libcurl says what it waits for.  An error returned would end every transfer
 * of the worker, so only the transfer concerned is said to fail.
 */

static int
ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd, int what,
    void *data, void *socket)
{
    ngx_connection_t  *c = socket;

    ngx_int_t                     rc;
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;

    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, ss->log, 0,
                   "flowdash curl socket:%d what:%d c:%p", fd, what, c);

    if (what == CURL_POLL_REMOVE) {

        if (c && ngx_flowdash_curl_socket_set_idle(c, easy) == NGX_OK) {
            ss->idle(easy);
        }

        return 0;
    }

    rc = c ? NGX_OK : ngx_flowdash_curl_socket_get(fd, &c);

    if (rc == NGX_OK) {
        rc = ngx_flowdash_curl_socket_watch(c->data, easy, what);
    }

    if (rc != NGX_OK) {
        ss->fail(easy, rc);
    }

    return 0;
}


static ngx_int_t
ngx_flowdash_curl_socket_watch(ngx_flowdash_curl_conn_t *s, CURL *easy,
    int what)
{
    ngx_uint_t  in, out;

    in = (what == CURL_POLL_IN || what == CURL_POLL_INOUT);
    out = (what == CURL_POLL_OUT || what == CURL_POLL_INOUT);

    if (s->closed) {

        /* a new socket with the same descriptor */

        s->closed = 0;
        s->connected = 0;
        s->http2 = 0;
        s->read_at = ngx_current_msec;
    }

    s->easy = easy;
    s->id = ngx_flowdash_curl_conn_id(easy);

    return ngx_flowdash_curl_conn_watch(s->connection, in, out);
}


/* returns NGX_OK with a connection for the socket, NGX_BUSY or NGX_ERROR */

static ngx_int_t
ngx_flowdash_curl_socket_get(curl_socket_t fd, ngx_connection_t **cp)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_flowdash_curl_conn_t  *s;

    s = ngx_flowdash_curl_conn_find(fd);

    if (s && s->idle.added) {
        ngx_flowdash_curl_conn_remove_idle(s);
        c = s->connection;

    } else {
        rc = ngx_flowdash_curl_conn_create(fd, ngx_flowdash_curl_socket_event,
                                           &c);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (curl_multi_assign(ngx_flowdash_curl_sockets.multi, fd, c)
        != CURLM_OK)
    {
        ngx_flowdash_curl_conn_free(c, 0);
        return NGX_ERROR;
    }

    *cp = c;

    return NGX_OK;
}


static void
ngx_flowdash_curl_socket_event(ngx_event_t *ev)
{
    u_char                        byte;
    ngx_connection_t             *c;
    ngx_flowdash_curl_conn_t     *s;
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;
    c = ev->data;
    s = c->data;

    if (c->close) {

        /* nginx needs the connection; the next sweep closes the socket */

        ngx_flowdash_curl_idle_shutdown(c->fd);
        ngx_flowdash_curl_conn_free(c, 0);
        return;
    }

    if (!s->idle.added) {

        if (!ev->write) {
            s->read_at = ngx_current_msec;
        }

        ss->event(c->fd, ev->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
        return;
    }

    if (recv(c->fd, &byte, 1, MSG_PEEK) == -1
        && ngx_socket_errno == NGX_EAGAIN)
    {
        /* the event was for an answer that libcurl has read since */
        return;
    }

    /* the endpoint has closed it, or has sent something unasked */

    ngx_flowdash_curl_socket_suspect(s, !s->http2);
}


int
ngx_flowdash_curl_socket_close(void *data, curl_socket_t fd)
{
    ngx_flowdash_curl_conn_t  *s;

    s = ngx_flowdash_curl_conn_find(fd);

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, ngx_flowdash_curl_sockets.log, 0,
                   "flowdash curl close socket:%d s:%p", fd, s);

    if (s && s->use) {
        ngx_flowdash_curl_use_judge(s->use, fd);
        ngx_flowdash_curl_use_end(s->use);
    }

    if (s && s->idle.added) {
        ngx_flowdash_curl_conn_free(s->connection, NGX_CLOSE_EVENT);

    } else if (s) {

        /* some versions of libcurl say CURL_POLL_REMOVE only afterwards */

        ngx_flowdash_curl_conn_delete_events(s->connection, NGX_CLOSE_EVENT);
        ngx_flowdash_curl_conn_thaw(s);
        s->closed = 1;
    }

    ngx_flowdash_curl_open_forget(fd);

    return ngx_close_socket(fd);
}


/*
 * libcurl no longer waits for the socket: it closes it next, or keeps it.  An
 * idle socket stays registered for reading, which saves two system calls for
 * each call, and tells when the endpoint closes the connection.
 */

static ngx_int_t
ngx_flowdash_curl_socket_set_idle(ngx_connection_t *c, CURL *easy)
{
    long                       version;
    ngx_flowdash_curl_conn_t  *s;

    s = c->data;

    if (!s->closed && !s->connected) {
        s->connected = ngx_flowdash_curl_conn_is_connected(c->fd);
        s->port = ngx_flowdash_curl_tcp_port(c->fd);
    }

    if (s->closed
        || !s->connected
        || ngx_flowdash_curl_conn_watch(c, 1, 0) != NGX_OK)
    {
        ngx_flowdash_curl_conn_free(c, ngx_flowdash_curl_conn_is_open(c->fd)
                                       ? 0 : NGX_CLOSE_EVENT);
        return NGX_DECLINED;
    }

    if (curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK
        && version == CURL_HTTP_VERSION_2_0)
    {
        s->http2 = 1;
    }

    ngx_flowdash_curl_conn_delete_posted(c);

    s->easy = NULL;

    if (s->port) {
        ngx_flowdash_curl_tcp_count(c->fd, &s->count);
    }

    ngx_flowdash_curl_conn_add_idle(s);

    if (s->frozen) {
        ngx_flowdash_curl_socket_suspect(s, 1);
    }

    return NGX_OK;
}


/* an idle socket is done with, or, over HTTP/2, may have got a mere frame */

static void
ngx_flowdash_curl_socket_suspect(ngx_flowdash_curl_conn_t *s,
    ngx_uint_t shutdown)
{
    (void) ngx_flowdash_curl_conn_watch(s->connection, 0, 0);

    ngx_flowdash_curl_conn_suspect(s);

    if (shutdown) {
        ngx_flowdash_curl_idle_shutdown(s->connection->fd);
    }
}


void
ngx_flowdash_curl_socket_check_frozen(CURL *easy, ngx_msec_t since)
{
    ngx_flowdash_curl_conn_t  *s;

    s = ngx_flowdash_curl_conn_find_of(easy);

    if (s == NULL || (ngx_msec_int_t) (s->read_at - since) > 0) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, ngx_flowdash_curl_sockets.log, 0,
                  "flowdash: nothing arrived on a connection to an endpoint "
                  "while a call waited; new calls do not use it");

    ngx_flowdash_curl_conn_freeze(s);

    if (s->idle.added) {
        ngx_flowdash_curl_socket_suspect(s, 1);
    }
}


ngx_uint_t
ngx_flowdash_curl_socket_is_frozen(CURL *easy)
{
    curl_off_t  id;

    if (!ngx_flowdash_curl_conn_has_frozen()) {
        return 0;
    }

    id = ngx_flowdash_curl_conn_id(easy);

    return id != -1 && ngx_flowdash_curl_conn_is_frozen(id);
}


void
ngx_flowdash_curl_socket_limit(ngx_uint_t max)
{
    ngx_flowdash_curl_idle_t  *idle;
    ngx_flowdash_curl_conn_t  *s;

    while ((idle = ngx_flowdash_curl_idle_get_excess(max))) {
        s = ngx_queue_data(idle, ngx_flowdash_curl_conn_t, idle);

        ngx_flowdash_curl_socket_suspect(s, 1);
    }
}


void
ngx_flowdash_curl_socket_watch_kept(CURL *easy)
{
    curl_socket_t              fd;
    ngx_connection_t          *c;
    ngx_flowdash_curl_conn_t  *s;

    /* for this libcurl walks along all of its connections */

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK
        || fd == CURL_SOCKET_BAD)
    {
        return;
    }

    s = ngx_flowdash_curl_conn_find(fd);

    if (s == NULL) {

        /* a client must not lose its connection for this one */

        c = NULL;

        if (ngx_cycle->free_connection_n) {
            (void) ngx_flowdash_curl_conn_create(fd,
                                                ngx_flowdash_curl_socket_event,
                                                &c);
        }

    } else if (s->idle.added) {
        c = s->connection;
        ngx_flowdash_curl_conn_remove_idle(s);

    } else {

        /* another transfer uses it */

        return;
    }

    if (c == NULL || ngx_flowdash_curl_socket_set_idle(c, easy) != NGX_OK) {
        ngx_flowdash_curl_idle_shutdown(fd);
    }
}


/*
 * Two connections to two endpoints may have one port: then nobody knows which
 * it is.  One that is not idle is used by others, too, by HTTP/2.
 */

ngx_uint_t
ngx_flowdash_curl_socket_use(ngx_flowdash_curl_use_t *use, CURL *easy,
    ngx_uint_t port)
{
    ngx_uint_t                 n, http1;
    ngx_flowdash_curl_conn_t  *s, *found;

    n = 0;
    http1 = 0;
    found = NULL;

    if (port == 0) {
        return 0;
    }

    for (s = ngx_flowdash_curl_conn_next_kept(NULL, port);
         s;
         s = ngx_flowdash_curl_conn_next_kept(s, port))
    {
        found = s;
        http1 |= !s->http2;
        n++;
    }

    if (n == 1 && http1) {
        ngx_flowdash_curl_use_begin(use, &found->use, &found->count, easy);
    }

    return http1;
}
