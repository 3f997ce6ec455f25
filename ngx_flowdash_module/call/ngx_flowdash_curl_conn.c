
/*
 * libcurl's sockets as connections of nginx's: found by their descriptor, made
 * and freed, and what they wait for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>
#include <ngx_flowdash_curl_conn.h>


/* CURLINFO_CONN_ID of libcurl 8.2 and newer */

#define NGX_FLOWDASH_CURL_CONN_INFO       ((CURLINFO) (CURLINFO_OFF_T + 64))

/*
 * A power of 2: lists of kept connections, so that each is short.  The lowest
 * bit of their ports does not tell: Linux gives most of them even ones.
 */

#define NGX_FLOWDASH_CURL_CONN_PORTS      256


typedef struct {
    ngx_log_t          *log;
    ngx_rbtree_t        tree;
    ngx_rbtree_node_t   sentinel;
    ngx_queue_t         frozen;
    ngx_queue_t         kept[NGX_FLOWDASH_CURL_CONN_PORTS];
} ngx_flowdash_curl_conns_t;


static void ngx_flowdash_curl_conn_unkeep(ngx_flowdash_curl_conn_t *s);
static ngx_int_t ngx_flowdash_curl_conn_check_room(
    ngx_flowdash_curl_conns_t *ss);
static ngx_int_t ngx_flowdash_curl_conn_set_event(ngx_event_t *ev,
    ngx_int_t event, ngx_uint_t active, ngx_uint_t flags);


#define ngx_flowdash_curl_conn_kept(port)                                     \
    (ngx_flowdash_curl_conns.kept                                             \
     + ((port) >> 1 & (NGX_FLOWDASH_CURL_CONN_PORTS - 1)))


static ngx_flowdash_curl_conns_t  ngx_flowdash_curl_conns;


void
ngx_flowdash_curl_conn_init(ngx_log_t *log)
{
    ngx_uint_t                  i;
    ngx_flowdash_curl_conns_t  *ss;

    ss = &ngx_flowdash_curl_conns;

    ss->log = log;

    ngx_rbtree_init(&ss->tree, &ss->sentinel, ngx_rbtree_insert_value);
    ngx_queue_init(&ss->frozen);

    for (i = 0; i < NGX_FLOWDASH_CURL_CONN_PORTS; i++) {
        ngx_queue_init(&ss->kept[i]);
    }
}


void
ngx_flowdash_curl_conn_free_all(void)
{
    ngx_flowdash_curl_conn_t   *s;
    ngx_flowdash_curl_conns_t  *ss;

    ss = &ngx_flowdash_curl_conns;

    while (ss->tree.root != &ss->sentinel) {
        s = (ngx_flowdash_curl_conn_t *) ss->tree.root;

        ngx_flowdash_curl_conn_free(s->connection,
                                    ngx_flowdash_curl_conn_is_open(
                                                          s->connection->fd)
                                    ? 0 : NGX_CLOSE_EVENT);
    }
}


ngx_flowdash_curl_conn_t *
ngx_flowdash_curl_conn_find(curl_socket_t fd)
{
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *node;

    key = fd;
    node = ngx_flowdash_curl_conns.tree.root;

    while (node != &ngx_flowdash_curl_conns.sentinel) {

        if (key == node->key) {
            return (ngx_flowdash_curl_conn_t *) node;
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


ngx_flowdash_curl_conn_t *
ngx_flowdash_curl_conn_find_of(CURL *easy)
{
    curl_off_t                  id;
    ngx_rbtree_node_t          *node;
    ngx_flowdash_curl_conn_t   *s;
    ngx_flowdash_curl_conns_t  *ss;

    ss = &ngx_flowdash_curl_conns;

    id = ngx_flowdash_curl_conn_id(easy);

    if (id == -1 || ss->tree.root == &ss->sentinel) {
        return NULL;
    }

    for (node = ngx_rbtree_min(ss->tree.root, &ss->sentinel);
         node;
         node = ngx_rbtree_next(&ss->tree, node))
    {
        s = (ngx_flowdash_curl_conn_t *) node;

        if (s->id == id && !s->closed) {
            return s;
        }
    }

    return NULL;
}


curl_off_t
ngx_flowdash_curl_conn_id(CURL *easy)
{
    curl_off_t  id;

    if (curl_easy_getinfo(easy, NGX_FLOWDASH_CURL_CONN_INFO, &id) != CURLE_OK)
    {
        return -1;
    }

    return id;
}


void
ngx_flowdash_curl_conn_freeze(ngx_flowdash_curl_conn_t *s)
{
    if (!s->frozen) {
        s->frozen = 1;
        ngx_queue_insert_tail(&ngx_flowdash_curl_conns.frozen, &s->queue);
    }
}


void
ngx_flowdash_curl_conn_thaw(ngx_flowdash_curl_conn_t *s)
{
    if (s->frozen) {
        s->frozen = 0;
        ngx_queue_remove(&s->queue);
    }
}


ngx_uint_t
ngx_flowdash_curl_conn_has_frozen(void)
{
    return !ngx_queue_empty(&ngx_flowdash_curl_conns.frozen);
}


ngx_uint_t
ngx_flowdash_curl_conn_is_frozen(curl_off_t id)
{
    ngx_queue_t                *q;
    ngx_flowdash_curl_conn_t   *s;
    ngx_flowdash_curl_conns_t  *ss;

    ss = &ngx_flowdash_curl_conns;

    for (q = ngx_queue_head(&ss->frozen);
         q != ngx_queue_sentinel(&ss->frozen);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_flowdash_curl_conn_t, queue);

        if (s->id == id) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_flowdash_curl_conn_create(curl_socket_t fd, ngx_event_handler_pt handler,
    ngx_connection_t **cp)
{
    ngx_connection_t           *c;
    ngx_flowdash_curl_conn_t   *s;
    ngx_flowdash_curl_conns_t  *ss;

    ss = &ngx_flowdash_curl_conns;

    if (ngx_flowdash_curl_conn_check_room(ss) != NGX_OK) {
        return NGX_BUSY;
    }

    s = ngx_calloc(sizeof(ngx_flowdash_curl_conn_t), ss->log);
    if (s == NULL) {
        return NGX_ERROR;
    }

    c = ngx_get_connection(fd, ss->log);
    if (c == NULL) {
        ngx_free(s);
        return NGX_BUSY;
    }

    s->connection = c;
    s->id = -1;
    s->read_at = ngx_current_msec;
    c->data = s;

    s->node.key = fd;
    ngx_rbtree_insert(&ss->tree, &s->node);

    c->read->handler = handler;
    c->write->handler = handler;

    c->read->log = ss->log;
    c->write->log = ss->log;

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    *cp = c;

    return NGX_OK;
}


/* nginx would say at level "alert" that there is none */

static ngx_int_t
ngx_flowdash_curl_conn_check_room(ngx_flowdash_curl_conns_t *ss)
{
    if (ngx_cycle->free_connection_n || ngx_cycle->reusable_connections_n) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ss->log, 0,
                  "flowdash: worker_connections are not enough for a call");

    return NGX_ERROR;
}


void
ngx_flowdash_curl_conn_add_idle(ngx_flowdash_curl_conn_t *s)
{
    ngx_flowdash_curl_idle_add(&s->idle);

    if (s->port) {
        s->kept = 1;
        ngx_queue_insert_head(ngx_flowdash_curl_conn_kept(s->port), &s->same);
    }

    ngx_reusable_connection(s->connection, 1);
}


void
ngx_flowdash_curl_conn_remove_idle(ngx_flowdash_curl_conn_t *s)
{
    ngx_reusable_connection(s->connection, 0);

    ngx_flowdash_curl_conn_unkeep(s);
    ngx_flowdash_curl_idle_remove(&s->idle);
}


void
ngx_flowdash_curl_conn_suspect(ngx_flowdash_curl_conn_t *s)
{
    ngx_flowdash_curl_conn_unkeep(s);
    ngx_flowdash_curl_idle_suspect(&s->idle);
}


static void
ngx_flowdash_curl_conn_unkeep(ngx_flowdash_curl_conn_t *s)
{
    if (s->kept) {
        s->kept = 0;
        ngx_queue_remove(&s->same);
    }
}


ngx_flowdash_curl_conn_t *
ngx_flowdash_curl_conn_next_kept(ngx_flowdash_curl_conn_t *s, ngx_uint_t port)
{
    ngx_queue_t  *q, *kept;

    kept = ngx_flowdash_curl_conn_kept(port);

    for (q = ngx_queue_next(s ? &s->same : kept);
         q != kept;
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_flowdash_curl_conn_t, same);

        if (s->port == port) {
            return s;
        }
    }

    return NULL;
}


ngx_int_t
ngx_flowdash_curl_conn_watch(ngx_connection_t *c, ngx_uint_t in,
    ngx_uint_t out)
{
    if (ngx_flowdash_curl_conn_set_event(c->read, NGX_READ_EVENT, in, 0)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_flowdash_curl_conn_set_event(c->write, NGX_WRITE_EVENT, out, 0);
}


/*
 * libcurl expects level-triggered events; ngx_handle_read_event() would choose
 * edge-triggered ones where it can.
 */

static ngx_int_t
ngx_flowdash_curl_conn_set_event(ngx_event_t *ev, ngx_int_t event,
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


void
ngx_flowdash_curl_conn_delete_events(ngx_connection_t *c, ngx_uint_t flags)
{
    (void) ngx_flowdash_curl_conn_set_event(c->read, NGX_READ_EVENT, 0,
                                            flags);
    (void) ngx_flowdash_curl_conn_set_event(c->write, NGX_WRITE_EVENT, 0,
                                            flags);

    ngx_flowdash_curl_conn_delete_posted(c);
}


void
ngx_flowdash_curl_conn_delete_posted(ngx_connection_t *c)
{
    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }
}


void
ngx_flowdash_curl_conn_free(ngx_connection_t *c, ngx_uint_t flags)
{
    ngx_flowdash_curl_conn_t  *s;

    s = c->data;

    if (s->idle.added) {
        ngx_flowdash_curl_conn_remove_idle(s);
    }

    if (s->use) {
        ngx_flowdash_curl_use_end(s->use);
    }

    ngx_flowdash_curl_conn_thaw(s);

    ngx_rbtree_delete(&ngx_flowdash_curl_conns.tree, &s->node);

    ngx_flowdash_curl_conn_delete_events(c, flags);

    ngx_free_connection(c);

    /* not before: ngx_free_connection() looks at it */

    c->fd = (ngx_socket_t) -1;

    ngx_free(s);
}


ngx_uint_t
ngx_flowdash_curl_conn_is_open(ngx_socket_t fd)
{
    return fcntl(fd, F_GETFD) != -1;
}


/*
 * Others may be closed by now, without a callback: pipes to a thread, whose
 * peer has no name, sockets of a resolver, and, in 7.88, those that have not
 * connected.
 */

ngx_uint_t
ngx_flowdash_curl_conn_is_connected(ngx_socket_t fd)
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
