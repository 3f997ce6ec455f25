
/*
 * libcurl's multi interface on nginx's event loop: sockets are nginx's
 * connections, libcurl's timer is one of nginx's.  Knows no HTTP request.
 *
 * Transfers run in the handlers of events only, and their own handlers are
 * called only after libcurl has returned.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl.h>


/* easy handles kept for the next transfers of one configuration */

#define NGX_FLOWDASH_CURL_HANDLES       128

/* of a connection, in seconds */

#define NGX_FLOWDASH_CURL_LIFETIME      3600

/* for receiving, in octets */

#define NGX_FLOWDASH_CURL_BUFFER        4096L


/* a socket of libcurl's, behind c->data */

typedef struct {
    ngx_connection_t  *connection;
    ngx_rbtree_node_t  node;       /* of all, by their descriptors */
    ngx_queue_t        queue;      /* of those at rest, the newest first */
    ngx_msec_t         since;
    unsigned           connects:1; /* not a pipe to a thread of libcurl's */
    unsigned           resting:1;
    unsigned           closed:1;   /* but libcurl may still speak of it */
    unsigned           woken:1;    /* while at rest: closed, most likely */
    unsigned           http2:1;
} ngx_flowdash_curl_socket_t;


#define ngx_flowdash_curl_node_socket(n)                                      \
    ((ngx_flowdash_curl_socket_t *)                                           \
         ((u_char *) (n) - offsetof(ngx_flowdash_curl_socket_t, node)))


typedef struct {
    CURLM             *multi;
    CURLSH            *share;
    ngx_log_t         *log;
    ngx_event_t        timer;
    ngx_msec_t         due;        /* when it should expire, if it should */
    ngx_connection_t   dummy;      /* for debug logs about the timers */

    ngx_queue_t        handles;
    ngx_queue_t        transfers;
    ngx_uint_t         running;    /* in that queue */
    ngx_uint_t         refused;
    ngx_uint_t         cafile;     /* libcurl knows a file of the system's */
    ngx_uint_t         tls;        /* handles that may use it were made */

    ngx_uint_t         keepalive;
    time_t             keepalive_timeout;
    ngx_rbtree_t       sockets;
    ngx_rbtree_node_t  sentinel;
    ngx_queue_t        resting;
    ngx_event_t        sweep;
    CURL              *sweeper;
    unsigned           waiting:1;  /* the timer is to expire */
    unsigned           sweeping:1;
} ngx_flowdash_curl_t;


static ngx_int_t ngx_flowdash_curl_init_multi(ngx_flowdash_curl_t *fc);
static ngx_flowdash_curl_handle_t *ngx_flowdash_curl_create_handle(
    ngx_flowdash_curl_handles_t *handles);
static ngx_int_t ngx_flowdash_curl_setup(CURL *easy);
static void ngx_flowdash_curl_free_handle(ngx_flowdash_curl_handle_t *handle);
static void ngx_flowdash_curl_limit(void);
static void ngx_flowdash_curl_remove(ngx_flowdash_curl_transfer_t *t);
static void ngx_flowdash_curl_clear_error(void);

static ngx_flowdash_curl_transfer_t *ngx_flowdash_curl_transfer(CURL *easy);
static int ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd,
    int what, void *data, void *socket);
static ngx_int_t ngx_flowdash_curl_watch(ngx_flowdash_curl_socket_t *s,
    int what);
static ngx_connection_t *ngx_flowdash_curl_get_connection(curl_socket_t fd);
static ngx_int_t ngx_flowdash_curl_set_event(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t active, ngx_uint_t flags);
static void ngx_flowdash_curl_rest(ngx_connection_t *c, CURL *easy);
static void ngx_flowdash_curl_end_rest(ngx_flowdash_curl_socket_t *s);
static ngx_flowdash_curl_socket_t *ngx_flowdash_curl_find(curl_socket_t fd);
static int ngx_flowdash_curl_close_socket(void *data, curl_socket_t fd);
static void ngx_flowdash_curl_delete_events(ngx_connection_t *c,
    ngx_uint_t flags);
static void ngx_flowdash_curl_free_connection(ngx_connection_t *c,
    ngx_uint_t flags);
static void ngx_flowdash_curl_refuse(CURL *easy);

static void ngx_flowdash_curl_sweep_after(ngx_msec_t time);
static void ngx_flowdash_curl_sweep(ngx_event_t *ev);
static curl_socket_t ngx_flowdash_curl_no_socket(void *data,
    curlsocktype type, struct curl_sockaddr *addr);
static void ngx_flowdash_curl_swept(void);

static int ngx_flowdash_curl_timer_handler(CURLM *multi, long ms, void *data);
static void ngx_flowdash_curl_event(ngx_event_t *ev);
static void ngx_flowdash_curl_spoil(ngx_socket_t fd);
static void ngx_flowdash_curl_timeout(ngx_event_t *ev);
static void ngx_flowdash_curl_action(curl_socket_t fd, int events);
static void ngx_flowdash_curl_end_refused(ngx_flowdash_curl_t *fc);
static void ngx_flowdash_curl_done(ngx_flowdash_curl_transfer_t *t,
    CURLcode result);


static ngx_flowdash_curl_t  ngx_flowdash_curl;


ngx_int_t
ngx_flowdash_curl_init(ngx_cycle_t *cycle, ngx_uint_t keepalive,
    time_t keepalive_timeout)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_memzero(fc, sizeof(ngx_flowdash_curl_t));

    fc->log = cycle->log;
    fc->dummy.fd = (ngx_socket_t) -1;

    fc->timer.handler = ngx_flowdash_curl_timeout;
    fc->timer.data = &fc->dummy;
    fc->timer.log = cycle->log;
    fc->timer.cancelable = 1;

    fc->sweep.handler = ngx_flowdash_curl_sweep;
    fc->sweep.data = &fc->dummy;
    fc->sweep.log = cycle->log;
    fc->sweep.cancelable = 1;

    fc->keepalive = keepalive;
    fc->keepalive_timeout = keepalive_timeout;

    ngx_queue_init(&fc->handles);
    ngx_queue_init(&fc->transfers);
    ngx_queue_init(&fc->resting);
    ngx_rbtree_init(&fc->sockets, &fc->sentinel, ngx_rbtree_insert_value);

    fc->cafile = (curl_version_info(CURLVERSION_NOW)->cainfo != NULL);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_global_init() failed");
        return NGX_ERROR;
    }

    if (ngx_flowdash_curl_init_multi(fc) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcurl could not be initialized");
        return NGX_ERROR;
    }

#if (NGX_SSL)
    ERR_clear_error();
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_flowdash_curl_init_multi(ngx_flowdash_curl_t *fc)
{
    CURL  *easy;

    fc->multi = curl_multi_init();
    fc->share = curl_share_init();
    fc->sweeper = curl_easy_init();

    if (fc->multi == NULL || fc->share == NULL || fc->sweeper == NULL) {
        return NGX_ERROR;
    }

    if (curl_multi_setopt(fc->multi, CURLMOPT_SOCKETFUNCTION,
                          ngx_flowdash_curl_socket_handler)
        || curl_multi_setopt(fc->multi, CURLMOPT_TIMERFUNCTION,
                             ngx_flowdash_curl_timer_handler)

        /* connections and names are the multi's, TLS sessions are not */

        || curl_share_setopt(fc->share, CURLSHOPT_SHARE,
                             CURL_LOCK_DATA_SSL_SESSION))
    {
        return NGX_ERROR;
    }

    /* see ngx_flowdash_curl_sweep() */

    easy = fc->sweeper;

    if (ngx_flowdash_curl_setup(easy) != NGX_OK
        || curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/")
        || curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L)
        || curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                            ngx_flowdash_curl_no_socket))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_flowdash_curl_exit(void)
{
    ngx_queue_t                   *q, *next;
    ngx_flowdash_curl_t           *fc;
    ngx_flowdash_curl_socket_t    *s;
    ngx_flowdash_curl_handle_t    *handle;
    ngx_flowdash_curl_transfer_t  *t;

    fc = &ngx_flowdash_curl;

    if (fc->multi == NULL) {
        return;
    }

    while (!ngx_queue_empty(&fc->transfers)) {
        q = ngx_queue_head(&fc->transfers);
        t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

        ngx_flowdash_curl_free(t);
    }

    for (q = ngx_queue_head(&fc->handles);
         q != ngx_queue_sentinel(&fc->handles);
         q = next)
    {
        next = ngx_queue_next(q);
        handle = ngx_queue_data(q, ngx_flowdash_curl_handle_t, all);

        if (handle->transfer) {
            handle->transfer->easy = NULL;

        } else {
            ngx_queue_init(&handle->owner->idle);
        }

        ngx_flowdash_curl_free_handle(handle);
    }

    if (fc->sweeping) {
        (void) curl_multi_remove_handle(fc->multi, fc->sweeper);
    }

    curl_easy_cleanup(fc->sweeper);

    (void) curl_multi_cleanup(fc->multi);
    (void) curl_share_cleanup(fc->share);

    curl_global_cleanup();

    while (fc->sockets.root != &fc->sentinel) {
        s = ngx_flowdash_curl_node_socket(fc->sockets.root);

        ngx_flowdash_curl_free_connection(s->connection, NGX_CLOSE_EVENT);
    }

    if (fc->timer.timer_set) {
        ngx_del_timer(&fc->timer);
    }

    if (fc->timer.posted) {
        ngx_delete_posted_event(&fc->timer);
    }

    if (fc->sweep.timer_set) {
        ngx_del_timer(&fc->sweep);
    }

    fc->multi = NULL;
}


ngx_int_t
ngx_flowdash_curl_create(ngx_flowdash_curl_transfer_t *t,
    ngx_flowdash_curl_handles_t *handles)
{
    ngx_queue_t                 *q;
    ngx_flowdash_curl_handle_t  *handle;

    if (ngx_flowdash_curl.multi == NULL) {

        /* the process has started without a call in its configuration */

        return NGX_ERROR;
    }

    if (handles->idle.next == NULL) {
        ngx_queue_init(&handles->idle);
    }

    if (ngx_queue_empty(&handles->idle)) {
        handle = ngx_flowdash_curl_create_handle(handles);
        if (handle == NULL) {
            return NGX_ERROR;
        }

    } else {
        q = ngx_queue_head(&handles->idle);
        ngx_queue_remove(q);
        handles->nidle--;

        handle = ngx_queue_data(q, ngx_flowdash_curl_handle_t, queue);
    }

    handle->transfer = t;

    t->handle = handle;
    t->easy = handle->easy;

    return NGX_OK;
}


static ngx_flowdash_curl_handle_t *
ngx_flowdash_curl_create_handle(ngx_flowdash_curl_handles_t *handles)
{
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_handle_t  *handle;

    fc = &ngx_flowdash_curl;

    fc->tls |= handles->tls;

    handle = ngx_calloc(sizeof(ngx_flowdash_curl_handle_t), fc->log);
    if (handle == NULL) {
        return NULL;
    }

    handle->owner = handles;
    handle->easy = curl_easy_init();

    if (handle->easy == NULL
        || ngx_flowdash_curl_setup(handle->easy) != NGX_OK
        || curl_easy_setopt(handle->easy, CURLOPT_PRIVATE, handle)
        || curl_easy_setopt(handle->easy, CURLOPT_ERRORBUFFER, handle->error)
        || handles->setup(handle->easy, handles->data) != NGX_OK)
    {
        ngx_flowdash_curl_free_handle(handle);
        return NULL;
    }

    ngx_queue_insert_tail(&fc->handles, &handle->all);

    return handle;
}


static ngx_int_t
ngx_flowdash_curl_setup(CURL *easy)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    if (curl_easy_setopt(easy, CURLOPT_SHARE, fc->share)

        /* no signals, and no waiting for a thread that resolves a name */

        || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L)
        || curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L)

        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        || curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L)
        || curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L)

        /* nothing is taken from the environment */

        || curl_easy_setopt(easy, CURLOPT_PROXY, "")
        || curl_easy_setopt(easy, CURLOPT_NOPROXY, "")

        /* allocated for each transfer; answers are small */

        || curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                            NGX_FLOWDASH_CURL_BUFFER)

        || curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION,
                            ngx_flowdash_curl_close_socket)
        || curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
                            fc->keepalive ? 0L : 1L)
        || curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                            (long) fc->keepalive_timeout)

        /* so that a name's new address is found although calls go on */

        || curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
                            (long) NGX_FLOWDASH_CURL_LIFETIME))
    {
        return NGX_ERROR;
    }

    /*
     * The system's certificates are read from their file, which libcurl keeps
     * in memory; with a directory beside it they would be read again for each
     * connection, while the worker waits.
     */

    if (fc->cafile && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_flowdash_curl_free_handle(ngx_flowdash_curl_handle_t *handle)
{
    curl_easy_cleanup(handle->easy);

    ngx_free(handle);
}


void
ngx_flowdash_curl_forget(void *data)
{
    ngx_flowdash_curl_handles_t *handles = data;

    ngx_queue_t                 *q, *next;
    ngx_flowdash_curl_handle_t  *handle;

    if (handles->idle.next == NULL) {
        return;
    }

    for (q = ngx_queue_head(&handles->idle);
         q != ngx_queue_sentinel(&handles->idle);
         q = next)
    {
        next = ngx_queue_next(q);
        handle = ngx_queue_data(q, ngx_flowdash_curl_handle_t, queue);

        ngx_queue_remove(&handle->all);
        ngx_flowdash_curl_free_handle(handle);
    }
}


ngx_int_t
ngx_flowdash_curl_start(ngx_flowdash_curl_transfer_t *t)
{
    CURLMcode             rc;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    rc = curl_multi_add_handle(fc->multi, t->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, fc->log, 0,
                      "curl_multi_add_handle() failed: %s",
                      curl_multi_strerror(rc));
        return NGX_ERROR;
    }

    /* a worker that waits for a transfer must not exit */

    fc->timer.cancelable = 0;

    ngx_queue_insert_tail(&fc->transfers, &t->queue);
    fc->running++;

    ngx_flowdash_curl_limit();

    t->handle->error[0] = '\0';
    t->running = 1;
    t->refused = 0;

    return NGX_OK;
}


/*
 * libcurl counts all connections, those in use as well, when one comes to
 * rest and has to make room.
 */

static void
ngx_flowdash_curl_limit(void)
{
    long                  n;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    n = fc->keepalive + fc->running;

    (void) curl_multi_setopt(fc->multi, CURLMOPT_MAXCONNECTS,
                             n > 1 ? n - 1 : 1L);
}


const char *
ngx_flowdash_curl_error(ngx_flowdash_curl_transfer_t *t)
{
    if (t->refused) {
        return "worker_connections are not enough";
    }

    return t->handle->error[0] ? t->handle->error
                               : curl_easy_strerror(t->result);
}


void
ngx_flowdash_curl_free(ngx_flowdash_curl_transfer_t *t)
{
    ngx_flowdash_curl_handle_t   *handle;
    ngx_flowdash_curl_handles_t  *handles;

    if (t->easy == NULL) {
        return;
    }

    handle = t->handle;
    handles = handle->owner;

    if (t->running) {
        ngx_flowdash_curl_remove(t);
    }

    t->easy = NULL;
    handle->transfer = NULL;

    if (handles->nidle < NGX_FLOWDASH_CURL_HANDLES) {
        ngx_queue_insert_head(&handles->idle, &handle->queue);
        handles->nidle++;

    } else {
        ngx_queue_remove(&handle->all);
        ngx_flowdash_curl_free_handle(handle);
        ngx_flowdash_curl_clear_error();
    }
}


static void
ngx_flowdash_curl_remove(ngx_flowdash_curl_transfer_t *t)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    t->running = 0;

    ngx_queue_remove(&t->queue);
    (void) curl_multi_remove_handle(fc->multi, t->easy);

    fc->running--;
    fc->timer.cancelable = ngx_queue_empty(&fc->transfers);

    ngx_flowdash_curl_limit();

    ngx_flowdash_curl_clear_error();
}


/* what libcurl leaves in OpenSSL's queue, nginx would take for its own */

static void
ngx_flowdash_curl_clear_error(void)
{
#if (NGX_SSL)
    /* the peek is far cheaper than clearing what is clear */

    if (ngx_flowdash_curl.tls && ERR_peek_error()) {
        ERR_clear_error();
    }
#endif
}


/* the one that an easy handle serves, or NULL */

static ngx_flowdash_curl_transfer_t *
ngx_flowdash_curl_transfer(CURL *easy)
{
    ngx_flowdash_curl_handle_t  *handle;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle) == CURLE_OK
        && handle)
    {
        return handle->transfer;
    }

    return NULL;
}


/*
 * Called by libcurl to say what it waits for.  An error returned would end
 * every transfer of the worker, so that it is kept for the one concerned.
 */

static int
ngx_flowdash_curl_socket_handler(CURL *easy, curl_socket_t fd, int what,
    void *data, void *socket)
{
    ngx_connection_t  *c = socket;

    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, fc->log, 0,
                   "flowdash curl socket:%d what:%d c:%p", fd, what, c);

    if (what == CURL_POLL_REMOVE) {

        if (c) {
            ngx_flowdash_curl_rest(c, easy);
        }

        return 0;
    }

    if (c == NULL) {
        c = ngx_flowdash_curl_get_connection(fd);

        if (c == NULL) {
            ngx_flowdash_curl_refuse(easy);
            return 0;
        }

        if (curl_multi_assign(fc->multi, fd, c) != CURLM_OK) {
            ngx_flowdash_curl_free_connection(c, 0);
            ngx_flowdash_curl_refuse(easy);
            return 0;
        }
    }

    if (ngx_flowdash_curl_watch(c->data, what) != NGX_OK) {
        ngx_flowdash_curl_refuse(easy);
    }

    return 0;
}


static ngx_int_t
ngx_flowdash_curl_watch(ngx_flowdash_curl_socket_t *s, int what)
{
    ngx_uint_t         in, out;
    ngx_connection_t  *c;

    c = s->connection;

    in = (what == CURL_POLL_IN || what == CURL_POLL_INOUT);
    out = (what == CURL_POLL_OUT || what == CURL_POLL_INOUT);

    if (s->closed) {

        /* another one with the same descriptor */

        s->closed = 0;
        s->connects = 0;
        s->http2 = 0;
    }

    if (out) {
        s->connects = 1;
    }

    if (ngx_flowdash_curl_set_event(c->read, NGX_READ_EVENT, in, 0) != NGX_OK
        || ngx_flowdash_curl_set_event(c->write, NGX_WRITE_EVENT, out, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_connection_t *
ngx_flowdash_curl_get_connection(curl_socket_t fd)
{
    ngx_queue_t                 *q;
    ngx_connection_t            *c;
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_socket_t  *s;

    fc = &ngx_flowdash_curl;

    s = ngx_flowdash_curl_find(fd);

    if (s && s->resting) {
        ngx_flowdash_curl_end_rest(s);
        return s->connection;
    }

    if (ngx_cycle->free_connection_n == 0
        && ngx_cycle->reusable_connections_n == 0)
    {
        if (ngx_queue_empty(&fc->resting)) {
            ngx_log_error(NGX_LOG_ERR, fc->log, 0,
                          "flowdash: worker_connections are not enough "
                          "for a call");
            return NULL;
        }

        /* that of the socket that has rested longest, which ends thereby */

        q = ngx_queue_last(&fc->resting);
        s = ngx_queue_data(q, ngx_flowdash_curl_socket_t, queue);

        ngx_flowdash_curl_spoil(s->connection->fd);
        ngx_flowdash_curl_free_connection(s->connection, 0);
        ngx_flowdash_curl_sweep_after(1000);
    }

    s = ngx_calloc(sizeof(ngx_flowdash_curl_socket_t), fc->log);
    if (s == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, fc->log);
    if (c == NULL) {
        ngx_free(s);
        return NULL;
    }

    s->connection = c;
    c->data = s;

    s->node.key = fd;
    ngx_rbtree_insert(&fc->sockets, &s->node);

    c->read->handler = ngx_flowdash_curl_event;
    c->write->handler = ngx_flowdash_curl_event;

    c->read->log = fc->log;
    c->write->log = fc->log;

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    return c;
}


/*
 * Level-triggered, which libcurl expects; ngx_handle_read_event() would not
 * be, where there is a choice.
 */

static ngx_int_t
ngx_flowdash_curl_set_event(ngx_event_t *ev, ngx_int_t event,
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


/*
 * libcurl does not wait for the socket any longer.  It is closed next, or
 * rests in libcurl's pool: then it stays registered for reading, which saves
 * two system calls, and tells when the server closes it.
 */

static void
ngx_flowdash_curl_rest(ngx_connection_t *c, CURL *easy)
{
    long                         version;
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_socket_t  *s;

    fc = &ngx_flowdash_curl;

    s = c->data;

    if (s->closed || !s->connects || !c->read->active || c->write->active) {

        /*
         * libcurl closes pipes to its threads by itself, as 7.88 does a
         * socket that lost the race to connect: that is closed by now
         */

        ngx_flowdash_curl_free_connection(c, fcntl(c->fd, F_GETFD) == -1
                                             ? NGX_CLOSE_EVENT : 0);
        return;
    }

    if (curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK
        && version == CURL_HTTP_VERSION_2_0)
    {
        s->http2 = 1;
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    s->since = ngx_current_msec;
    s->resting = 1;
    s->woken = 0;

    ngx_queue_insert_head(&fc->resting, &s->queue);

    ngx_flowdash_curl_sweep_after((fc->keepalive_timeout + 1) * 1000);
}


static void
ngx_flowdash_curl_end_rest(ngx_flowdash_curl_socket_t *s)
{
    ngx_queue_remove(&s->queue);
    s->resting = 0;
}


/* of a socket that is libcurl's, or NULL */

static ngx_flowdash_curl_socket_t *
ngx_flowdash_curl_find(curl_socket_t fd)
{
    ngx_rbtree_key_t      key;
    ngx_rbtree_node_t    *node;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    key = fd;
    node = fc->sockets.root;

    while (node != &fc->sentinel) {

        if (key == node->key) {
            return ngx_flowdash_curl_node_socket(node);
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


/* some versions of libcurl close a socket before they say CURL_POLL_REMOVE */

static int
ngx_flowdash_curl_close_socket(void *data, curl_socket_t fd)
{
    ngx_flowdash_curl_socket_t  *s;

    s = ngx_flowdash_curl_find(fd);

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, ngx_flowdash_curl.log, 0,
                   "flowdash curl close socket:%d s:%p", fd, s);

    if (s) {
        if (s->resting) {
            ngx_flowdash_curl_free_connection(s->connection, NGX_CLOSE_EVENT);

        } else {
            ngx_flowdash_curl_delete_events(s->connection, NGX_CLOSE_EVENT);
            s->closed = 1;
        }
    }

    return ngx_close_socket(fd);
}


static void
ngx_flowdash_curl_delete_events(ngx_connection_t *c, ngx_uint_t flags)
{
    (void) ngx_flowdash_curl_set_event(c->read, NGX_READ_EVENT, 0, flags);
    (void) ngx_flowdash_curl_set_event(c->write, NGX_WRITE_EVENT, 0, flags);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }
}


/*
 * "flags" may be NGX_CLOSE_EVENT only if the socket is about to be closed: it
 * would stay registered otherwise.
 */

static void
ngx_flowdash_curl_free_connection(ngx_connection_t *c, ngx_uint_t flags)
{
    ngx_flowdash_curl_socket_t  *s;

    s = c->data;

    if (s->resting) {
        ngx_flowdash_curl_end_rest(s);
    }

    ngx_rbtree_delete(&ngx_flowdash_curl.sockets, &s->node);

    ngx_flowdash_curl_delete_events(c, flags);

    ngx_free_connection(c);

    /* only now: it is what ngx_free_connection() finds the connection by */

    c->fd = (ngx_socket_t) -1;

    ngx_free(s);
}


static void
ngx_flowdash_curl_refuse(CURL *easy)
{
    ngx_flowdash_curl_transfer_t  *t;

    t = ngx_flowdash_curl_transfer(easy);

    if (t) {
        t->refused = 1;
    }

    ngx_flowdash_curl.refused = 1;

    /* libcurl is on the stack: the transfer is ended by the next event */

    ngx_post_event(&ngx_flowdash_curl.timer, &ngx_posted_events);
}


static void
ngx_flowdash_curl_sweep_after(ngx_msec_t time)
{
    ngx_event_t  *ev;

    ev = &ngx_flowdash_curl.sweep;

    if (!ev->timer_set && !ngx_flowdash_curl.sweeping) {
        ngx_add_timer(ev, time);
    }
}


/*
 * libcurl closes connections that are too old, or were closed by the server,
 * only when a transfer starts, and looks for them once in a second.  This
 * transfer starts for nothing else: it gets no socket.
 */

static void
ngx_flowdash_curl_sweep(ngx_event_t *ev)
{
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, fc->log, 0, "flowdash curl sweep");

    if (curl_multi_add_handle(fc->multi, fc->sweeper) == CURLM_OK) {
        fc->sweeping = 1;
    }
}


static curl_socket_t
ngx_flowdash_curl_no_socket(void *data, curlsocktype type,
    struct curl_sockaddr *addr)
{
    return CURL_SOCKET_BAD;
}


static void
ngx_flowdash_curl_swept(void)
{
    ngx_msec_t                   age, timeout;
    ngx_queue_t                 *q;
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_socket_t  *s;

    fc = &ngx_flowdash_curl;

    (void) curl_multi_remove_handle(fc->multi, fc->sweeper);
    fc->sweeping = 0;

    timeout = (fc->keepalive_timeout + 1) * 1000;

    for (q = ngx_queue_last(&fc->resting);
         q != ngx_queue_sentinel(&fc->resting);
         q = ngx_queue_prev(q))
    {
        s = ngx_queue_data(q, ngx_flowdash_curl_socket_t, queue);

        age = ngx_current_msec - s->since;

        if (s->woken || age >= timeout) {

            /* too early for that, or it was a frame of HTTP/2 */

            ngx_flowdash_curl_sweep_after(1000);
            return;
        }
    }

    if (!ngx_queue_empty(&fc->resting)) {
        q = ngx_queue_last(&fc->resting);
        s = ngx_queue_data(q, ngx_flowdash_curl_socket_t, queue);

        ngx_flowdash_curl_sweep_after(timeout
                                      - (ngx_current_msec - s->since));
    }
}


static int
ngx_flowdash_curl_timer_handler(CURLM *multi, long ms, void *data)
{
    ngx_event_t          *timer;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    timer = &fc->timer;

    fc->waiting = (ms > 0);

    if (ms == 0) {
        ngx_post_event(timer, &ngx_posted_events);
    }

    if (ms <= 0) {
        return 0;
    }

    fc->due = ngx_current_msec + ms;

    if (timer->timer_set) {

        /* it is put off with each transfer, and may as well come too early */

        if ((ngx_msec_int_t) (fc->due - timer->timer.key) >= 0) {
            return 0;
        }

        ngx_del_timer(timer);
    }

    ngx_add_timer(timer, (ngx_msec_t) ms);

    return 0;
}


static void
ngx_flowdash_curl_event(ngx_event_t *ev)
{
    ngx_connection_t            *c;
    ngx_flowdash_curl_socket_t  *s;

    c = ev->data;
    s = c->data;

    if (s->resting) {

        /* the server has closed it, or has said something unasked */

        (void) ngx_flowdash_curl_set_event(ev, NGX_READ_EVENT, 0, 0);

        s->woken = 1;

        if (!s->http2) {
            ngx_flowdash_curl_spoil(c->fd);
        }

        if (ngx_flowdash_curl.sweep.timer_set) {
            ngx_del_timer(&ngx_flowdash_curl.sweep);
        }

        ngx_flowdash_curl_sweep_after(1000);
        return;
    }

    ngx_flowdash_curl_action(c->fd, ev->write ? CURL_CSELECT_OUT
                                              : CURL_CSELECT_IN);
}


/*
 * libcurl 7.88 takes a connection with something to read for a good one, and
 * what a server has said on its own, such as 408 when it closes an idle
 * connection, for the answer to the next request.  In HTTP/2 there are frames
 * of the connection itself, which libcurl reads.
 */

static void
ngx_flowdash_curl_spoil(ngx_socket_t fd)
{
    ssize_t  n;
    u_char   buf[4096];

    (void) ngx_shutdown_socket(fd, SHUT_RDWR);

    do {
        n = recv(fd, buf, sizeof(buf), 0);
    } while (n > 0 || (n == -1 && ngx_socket_errno == NGX_EINTR));
}


static void
ngx_flowdash_curl_timeout(ngx_event_t *ev)
{
    ngx_msec_int_t        left;
    ngx_flowdash_curl_t  *fc;

    fc = &ngx_flowdash_curl;

    if (!ev->timedout) {

        /* it was posted */

        ngx_flowdash_curl_action(CURL_SOCKET_TIMEOUT, 0);
        return;
    }

    ev->timedout = 0;

    if (!fc->waiting) {
        return;
    }

    left = fc->due - ngx_current_msec;

    if (left > 0) {
        ngx_add_timer(ev, (ngx_msec_t) left);
        return;
    }

    fc->waiting = 0;

    ngx_flowdash_curl_action(CURL_SOCKET_TIMEOUT, 0);
}


static void
ngx_flowdash_curl_action(curl_socket_t fd, int events)
{
    int                          n;
    CURLMsg                     *msg;
    CURLcode                     result;
    CURLMcode                    rc;
    ngx_flowdash_curl_t         *fc;
    ngx_flowdash_curl_handle_t  *handle;

    fc = &ngx_flowdash_curl;

    rc = curl_multi_socket_action(fc->multi, fd, events, &n);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, fc->log, 0,
                      "curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(rc));
    }

    ngx_flowdash_curl_clear_error();

    /* a handler may start and end other transfers */

    while ((msg = curl_multi_info_read(fc->multi, &n))) {

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        result = msg->data.result;

        if (msg->easy_handle == fc->sweeper) {
            ngx_flowdash_curl_swept();
            continue;
        }

        if (curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &handle)
            == CURLE_OK)
        {
            ngx_flowdash_curl_done(handle->transfer, result);
        }
    }

    ngx_flowdash_curl_end_refused(fc);
}


static void
ngx_flowdash_curl_end_refused(ngx_flowdash_curl_t *fc)
{
    ngx_queue_t                   *q;
    ngx_flowdash_curl_transfer_t  *t;

    while (fc->refused) {
        fc->refused = 0;

        for (q = ngx_queue_head(&fc->transfers);
             q != ngx_queue_sentinel(&fc->transfers);
             q = ngx_queue_next(q))
        {
            t = ngx_queue_data(q, ngx_flowdash_curl_transfer_t, queue);

            if (t->refused) {
                ngx_flowdash_curl_done(t, CURLE_COULDNT_CONNECT);

                /* the queue may have become another one */

                fc->refused = 1;
                break;
            }
        }
    }
}


static void
ngx_flowdash_curl_done(ngx_flowdash_curl_transfer_t *t, CURLcode result)
{
    t->result = result;

    ngx_flowdash_curl_remove(t);

    t->handler(t);
}
