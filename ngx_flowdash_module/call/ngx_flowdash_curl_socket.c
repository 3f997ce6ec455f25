
/*
 * libcurl's sockets as connections of nginx's: their events, and what happens
 * to them while they are idle.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>
#include <ngx_flowdash_curl_socket.h>


/* a socket of libcurl's: c->data of its connection */

typedef struct {
    ngx_rbtree_node_t                    node;       /* by descriptor */
    ngx_connection_t                    *connection;
    ngx_flowdash_curl_idle_t             idle;
    unsigned                             connected:1;
    unsigned                             closed:1;   /* libcurl may not yet
                                                        have said so */
    unsigned                             http2:1;
} ngx_flowdash_curl_socket_t;


typedef struct {
    CURLM                               *multi;
    ngx_log_t                           *log;
    ngx_flowdash_curl_socket_event_pt    event;
    ngx_flowdash_curl_socket_refuse_pt   refuse;
    ngx_flowdash_curl_socket_idle_pt     idle;

    ngx_rbtree_t                         tree;
    ngx_rbtree_node_t                    sentinel;
} ngx_flowdash_curl_sockets_t;


static int ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd,
    int what, void *data, void *socket);
static ngx_int_t ngx_flowdash_curl_socket_watch(ngx_flowdash_curl_socket_t *s,
    int what);
static ngx_connection_t *ngx_flowdash_curl_socket_get(curl_socket_t fd);
static ngx_connection_t *ngx_flowdash_curl_socket_create(curl_socket_t fd);
static ngx_int_t ngx_flowdash_curl_socket_make_room(
    ngx_flowdash_curl_sockets_t *ss);
static ngx_int_t ngx_flowdash_curl_socket_set_event(ngx_event_t *ev,
    ngx_int_t event, ngx_uint_t active, ngx_uint_t flags);
static void ngx_flowdash_curl_socket_event(ngx_event_t *ev);
static ngx_flowdash_curl_socket_t *ngx_flowdash_curl_socket_find(
    curl_socket_t fd);
static void ngx_flowdash_curl_socket_delete_events(ngx_connection_t *c,
    ngx_uint_t flags);
static void ngx_flowdash_curl_socket_delete_posted(ngx_connection_t *c);
static void ngx_flowdash_curl_socket_free(ngx_connection_t *c,
    ngx_uint_t flags);

static ngx_int_t ngx_flowdash_curl_socket_set_idle(ngx_connection_t *c,
    CURL *easy);
static ngx_uint_t ngx_flowdash_curl_socket_is_connected(ngx_socket_t fd);
static void ngx_flowdash_curl_socket_wake(ngx_flowdash_curl_socket_t *s,
    ngx_uint_t shutdown);


static ngx_flowdash_curl_sockets_t  ngx_flowdash_curl_sockets;


ngx_int_t
ngx_flowdash_curl_socket_init(ngx_log_t *log, CURLM *multi,
    ngx_flowdash_curl_socket_event_pt event,
    ngx_flowdash_curl_socket_refuse_pt refuse,
    ngx_flowdash_curl_socket_idle_pt idle)
{
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;

    ngx_memzero(ss, sizeof(ngx_flowdash_curl_sockets_t));

    ss->multi = multi;
    ss->log = log;
    ss->event = event;
    ss->refuse = refuse;
    ss->idle = idle;

    ngx_rbtree_init(&ss->tree, &ss->sentinel, ngx_rbtree_insert_value);

    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
                          ngx_flowdash_curl_socket_handler)
        != CURLM_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_flowdash_curl_socket_exit(void)
{
    ngx_flowdash_curl_socket_t   *s;
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;

    while (ss->tree.root != &ss->sentinel) {
        s = (ngx_flowdash_curl_socket_t *) ss->tree.root;

        ngx_flowdash_curl_socket_free(s->connection, NGX_CLOSE_EVENT);
    }
}


/*
 * libcurl says what it waits for.  An error returned would end every transfer
 * of the worker, so the transfer concerned is refused instead.
 */

static int
ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd, int what,
    void *data, void *socket)
{
    ngx_connection_t  *c = socket;

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

    if (c == NULL) {
        c = ngx_flowdash_curl_socket_get(fd);
    }

    if (c == NULL
        || ngx_flowdash_curl_socket_watch(c->data, what) != NGX_OK)
    {
        ss->refuse(easy);
    }

    return 0;
}


static ngx_int_t
ngx_flowdash_curl_socket_watch(ngx_flowdash_curl_socket_t *s, int what)
{
    ngx_uint_t         in, out;
    ngx_connection_t  *c;

    c = s->connection;

    in = (what == CURL_POLL_IN || what == CURL_POLL_INOUT);
    out = (what == CURL_POLL_OUT || what == CURL_POLL_INOUT);

    if (s->closed) {

        /* a new socket with the same descriptor */

        s->closed = 0;
        s->connected = 0;
        s->http2 = 0;
    }

    if (ngx_flowdash_curl_socket_set_event(c->read, NGX_READ_EVENT, in, 0)
        != NGX_OK
        || ngx_flowdash_curl_socket_set_event(c->write, NGX_WRITE_EVENT, out,
                                              0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_connection_t *
ngx_flowdash_curl_socket_get(curl_socket_t fd)
{
    ngx_connection_t            *c;
    ngx_flowdash_curl_socket_t  *s;

    s = ngx_flowdash_curl_socket_find(fd);

    if (s && s->idle.added) {
        ngx_flowdash_curl_idle_remove(&s->idle);
        c = s->connection;

    } else {
        c = ngx_flowdash_curl_socket_create(fd);
    }

    if (c && curl_multi_assign(ngx_flowdash_curl_sockets.multi, fd, c)
             != CURLM_OK)
    {
        ngx_flowdash_curl_socket_free(c, 0);
        return NULL;
    }

    return c;
}


static ngx_connection_t *
ngx_flowdash_curl_socket_create(curl_socket_t fd)
{
    ngx_connection_t             *c;
    ngx_flowdash_curl_socket_t   *s;
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;

    if (ngx_flowdash_curl_socket_make_room(ss) != NGX_OK) {
        return NULL;
    }

    s = ngx_calloc(sizeof(ngx_flowdash_curl_socket_t), ss->log);
    if (s == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, ss->log);
    if (c == NULL) {
        ngx_free(s);
        return NULL;
    }

    s->connection = c;
    c->data = s;

    s->node.key = fd;
    ngx_rbtree_insert(&ss->tree, &s->node);

    c->read->handler = ngx_flowdash_curl_socket_event;
    c->write->handler = ngx_flowdash_curl_socket_event;

    c->read->log = ss->log;
    c->write->log = ss->log;

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    return c;
}


/*
 * If nginx has no connection left, nor one to close, the socket that has been
 * idle longest gives up its own.
 */

static ngx_int_t
ngx_flowdash_curl_socket_make_room(ngx_flowdash_curl_sockets_t *ss)
{
    ngx_flowdash_curl_idle_t    *idle;
    ngx_flowdash_curl_socket_t  *s;

    if (ngx_cycle->free_connection_n || ngx_cycle->reusable_connections_n) {
        return NGX_OK;
    }

    idle = ngx_flowdash_curl_idle_get();

    if (idle == NULL) {
        ngx_log_error(NGX_LOG_ERR, ss->log, 0,
                      "flowdash: worker_connections are not enough "
                      "for a call");
        return NGX_ERROR;
    }

    s = ngx_queue_data(idle, ngx_flowdash_curl_socket_t, idle);

    ngx_flowdash_curl_idle_shutdown(s->connection->fd);
    ngx_flowdash_curl_socket_free(s->connection, 0);

    return NGX_OK;
}


/*
 * libcurl expects level-triggered events; ngx_handle_read_event() would choose
 * edge-triggered ones where it can.
 */

static ngx_int_t
ngx_flowdash_curl_socket_set_event(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t active, ngx_uint_t flags)
{
    if (active && !ev->active) {
        return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
    }

    if (!active && ev->active) {
        return ngx_del_event(ev, event, flags);
    }

    return NGX_OK;
}


static void
ngx_flowdash_curl_socket_event(ngx_event_t *ev)
{
    u_char                        byte;
    ngx_connection_t             *c;
    ngx_flowdash_curl_socket_t   *s;
    ngx_flowdash_curl_sockets_t  *ss;

    ss = &ngx_flowdash_curl_sockets;
    c = ev->data;
    s = c->data;

    if (!s->idle.added) {
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

    ngx_flowdash_curl_socket_wake(s, !s->http2);
}


static ngx_flowdash_curl_socket_t *
ngx_flowdash_curl_socket_find(curl_socket_t fd)
{
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *node;

    key = fd;
    node = ngx_flowdash_curl_sockets.tree.root;

    while (node != &ngx_flowdash_curl_sockets.sentinel) {

        if (key == node->key) {
            return (ngx_flowdash_curl_socket_t *) node;
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


int
ngx_flowdash_curl_socket_close(void *data, curl_socket_t fd)
{
    ngx_flowdash_curl_socket_t  *s;

    s = ngx_flowdash_curl_socket_find(fd);

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, ngx_flowdash_curl_sockets.log, 0,
                   "flowdash curl close socket:%d s:%p", fd, s);

    if (s && s->idle.added) {
        ngx_flowdash_curl_socket_free(s->connection, NGX_CLOSE_EVENT);

    } else if (s) {

        /* some versions of libcurl say CURL_POLL_REMOVE only afterwards */

        ngx_flowdash_curl_socket_delete_events(s->connection,
                                               NGX_CLOSE_EVENT);
        s->closed = 1;
    }

    return ngx_close_socket(fd);
}


static void
ngx_flowdash_curl_socket_delete_events(ngx_connection_t *c, ngx_uint_t flags)
{
    (void) ngx_flowdash_curl_socket_set_event(c->read, NGX_READ_EVENT, 0,
                                              flags);
    (void) ngx_flowdash_curl_socket_set_event(c->write, NGX_WRITE_EVENT, 0,
                                              flags);

    ngx_flowdash_curl_socket_delete_posted(c);
}


static void
ngx_flowdash_curl_socket_delete_posted(ngx_connection_t *c)
{
    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }
}


/*
 * "flags" may be NGX_CLOSE_EVENT only if the socket is closed next: it stays
 * registered otherwise.
 */

static void
ngx_flowdash_curl_socket_free(ngx_connection_t *c, ngx_uint_t flags)
{
    ngx_flowdash_curl_socket_t  *s;

    s = c->data;

    if (s->idle.added) {
        ngx_flowdash_curl_idle_remove(&s->idle);
    }

    ngx_rbtree_delete(&ngx_flowdash_curl_sockets.tree, &s->node);

    ngx_flowdash_curl_socket_delete_events(c, flags);

    ngx_free_connection(c);

    /* not before: ngx_free_connection() looks at it */

    c->fd = (ngx_socket_t) -1;

    ngx_free(s);
}


/*
 * libcurl no longer waits for the socket: it closes it next, or keeps it.  An
 * idle socket stays registered for reading, which saves two system calls for
 * each call, and tells when the endpoint closes the connection.
 */

static ngx_int_t
ngx_flowdash_curl_socket_set_idle(ngx_connection_t *c, CURL *easy)
{
    long                         version;
    ngx_flowdash_curl_socket_t  *s;

    s = c->data;

    if (!s->closed && !s->connected) {
        s->connected = ngx_flowdash_curl_socket_is_connected(c->fd);
    }

    if (s->closed
        || !s->connected
        || ngx_flowdash_curl_socket_watch(s, CURL_POLL_IN) != NGX_OK)
    {
        ngx_flowdash_curl_socket_free(c, fcntl(c->fd, F_GETFD) == -1
                                         ? NGX_CLOSE_EVENT : 0);
        return NGX_DECLINED;
    }

    if (curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK
        && version == CURL_HTTP_VERSION_2_0)
    {
        s->http2 = 1;
    }

    ngx_flowdash_curl_socket_delete_posted(c);

    ngx_flowdash_curl_idle_add(&s->idle);

    return NGX_OK;
}


/*
 * Others may be closed by now, without a callback: pipes to a thread, whose
 * peer has no name, sockets of a resolver, and, in 7.88, those that have not
 * connected.
 */

static ngx_uint_t
ngx_flowdash_curl_socket_is_connected(ngx_socket_t fd)
{
    int             type;
    socklen_t       len;
    ngx_sockaddr_t  peer;

    len = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1
        || type != SOCK_STREAM)
    {
        return 0;
    }

    len = sizeof(ngx_sockaddr_t);
    peer.sockaddr.sa_family = AF_UNSPEC;

    if (getpeername(fd, &peer.sockaddr, &len) == -1) {
        return 0;
    }

#if (NGX_HAVE_UNIX_DOMAIN)
    if (peer.sockaddr.sa_family == AF_UNIX) {
        return (size_t) len > offsetof(struct sockaddr_un, sun_path);
    }
#endif

    return 1;
}


/* an idle socket is done with, or, over HTTP/2, may have got a mere frame */

static void
ngx_flowdash_curl_socket_wake(ngx_flowdash_curl_socket_t *s,
    ngx_uint_t shutdown)
{
    ngx_connection_t  *c;

    c = s->connection;

    (void) ngx_flowdash_curl_socket_set_event(c->read, NGX_READ_EVENT, 0, 0);

    ngx_flowdash_curl_idle_wake(&s->idle);

    if (shutdown) {
        ngx_flowdash_curl_idle_shutdown(c->fd);
    }
}


void
ngx_flowdash_curl_socket_limit(ngx_uint_t max)
{
    ngx_flowdash_curl_idle_t    *idle;
    ngx_flowdash_curl_socket_t  *s;

    while ((idle = ngx_flowdash_curl_idle_get_excess(max))) {
        s = ngx_queue_data(idle, ngx_flowdash_curl_socket_t, idle);

        ngx_flowdash_curl_socket_wake(s, 1);
    }
}


void
ngx_flowdash_curl_socket_watch_kept(CURL *easy)
{
    curl_socket_t                fd;
    ngx_connection_t            *c;
    ngx_flowdash_curl_socket_t  *s;

    /* for this libcurl walks along all of its connections */

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK
        || fd == CURL_SOCKET_BAD)
    {
        return;
    }

    s = ngx_flowdash_curl_socket_find(fd);

    if (s == NULL) {

        /* a client must not lose its connection for this one */

        c = ngx_cycle->free_connection_n
            ? ngx_flowdash_curl_socket_create(fd) : NULL;

    } else if (s->idle.added) {
        c = s->connection;
        ngx_flowdash_curl_idle_remove(&s->idle);

    } else {

        /* another transfer uses it */

        return;
    }

    if (c == NULL || ngx_flowdash_curl_socket_set_idle(c, easy) != NGX_OK) {
        ngx_flowdash_curl_idle_shutdown(fd);
    }
}
