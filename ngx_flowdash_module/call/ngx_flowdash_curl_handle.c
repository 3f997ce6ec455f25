
/*
 * libcurl's easy handles: their common options, and a pool of idle ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_tls.h>
#include <ngx_flowdash_curl_socket.h>
#include <ngx_flowdash_curl_handle.h>


/* idle handles that are kept for each flowdash_call */

#define NGX_FLOWDASH_CURL_HANDLE_IDLE      128

/*
 * The buffers for receiving and sending, in octets.  libcurl allocates them
 * for each transfer: answers are small, and so are most payloads.  Over TLS,
 * it sends even the smallest one through a buffer.
 */

#define NGX_FLOWDASH_CURL_HANDLE_BUFFER    2048L
#define NGX_FLOWDASH_CURL_HANDLE_UPLOAD    16384L


typedef struct {
    CURLSH       *share;
    ngx_log_t    *log;
    ngx_queue_t   all;
    ngx_queue_t   abandoned;    /* known, so that they do not look like
                                   leaks */
    ngx_uint_t    keepalive;
    time_t        keepalive_timeout;
    time_t        keepalive_time;
    unsigned      cafile:1;     /* libcurl knows the system's CA file */
    unsigned      tls:1;        /* a handle may use TLS */
} ngx_flowdash_curl_handle_pool_t;


static ngx_flowdash_curl_handle_t *ngx_flowdash_curl_handle_create(
    ngx_flowdash_curl_handles_t *handles);
static ngx_int_t ngx_flowdash_curl_handle_setup(CURL *easy);
static void ngx_flowdash_curl_handle_free(ngx_flowdash_curl_handle_t *handle);


static ngx_flowdash_curl_handle_pool_t  ngx_flowdash_curl_handle_pool;


void
ngx_flowdash_curl_handle_init(ngx_log_t *log, CURLSH *share,
    ngx_uint_t keepalive, time_t keepalive_timeout, time_t keepalive_time)
{
    ngx_flowdash_curl_handle_pool_t  *pool;

    pool = &ngx_flowdash_curl_handle_pool;

    ngx_memzero(pool, sizeof(ngx_flowdash_curl_handle_pool_t));

    pool->share = share;
    pool->log = log;
    pool->keepalive = keepalive;
    pool->keepalive_timeout = keepalive_timeout;
    pool->keepalive_time = keepalive_time;
    pool->cafile = (curl_version_info(CURLVERSION_NOW)->cainfo != NULL);

    ngx_queue_init(&pool->all);
    ngx_queue_init(&pool->abandoned);
}


void
ngx_flowdash_curl_handle_exit(void)
{
    ngx_queue_t                      *q;
    ngx_flowdash_curl_handle_t       *handle;
    ngx_flowdash_curl_handle_pool_t  *pool;

    pool = &ngx_flowdash_curl_handle_pool;

    while (!ngx_queue_empty(&pool->all)) {
        q = ngx_queue_head(&pool->all);
        handle = ngx_queue_data(q, ngx_flowdash_curl_handle_t, all);

        ngx_flowdash_curl_handle_forget(handle->owner);
    }
}


CURL *
ngx_flowdash_curl_handle_create_easy(void)
{
    CURL  *easy;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NULL;
    }

    if (ngx_flowdash_curl_handle_setup(easy) != NGX_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }

    return easy;
}


ngx_flowdash_curl_handle_t *
ngx_flowdash_curl_handle_get(ngx_flowdash_curl_handles_t *handles, void *user)
{
    ngx_queue_t                 *q;
    ngx_flowdash_curl_handle_t  *handle;

    if (handles->idle.next == NULL) {
        ngx_queue_init(&handles->idle);
    }

    if (ngx_queue_empty(&handles->idle)) {
        handle = ngx_flowdash_curl_handle_create(handles);
        if (handle == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&handles->idle);
        ngx_queue_remove(q);
        handles->nidle--;

        handle = ngx_queue_data(q, ngx_flowdash_curl_handle_t, queue);
    }

    handle->user = user;

    return handle;
}


static ngx_flowdash_curl_handle_t *
ngx_flowdash_curl_handle_create(ngx_flowdash_curl_handles_t *handles)
{
    ngx_flowdash_curl_handle_t       *handle;
    ngx_flowdash_curl_handle_pool_t  *pool;

    pool = &ngx_flowdash_curl_handle_pool;

    pool->tls |= handles->tls;

    handle = ngx_calloc(sizeof(ngx_flowdash_curl_handle_t), pool->log);
    if (handle == NULL) {
        return NULL;
    }

    handle->owner = handles;
    handle->easy = ngx_flowdash_curl_handle_create_easy();

    if (handle->easy == NULL) {
        ngx_free(handle);
        return NULL;
    }

    ngx_queue_insert_tail(&pool->all, &handle->all);

    if (handles->tls) {
        ngx_flowdash_curl_tls_setup(handle->easy);
    }

    if (curl_easy_setopt(handle->easy, CURLOPT_PRIVATE, handle)
        || curl_easy_setopt(handle->easy, CURLOPT_ERRORBUFFER, handle->error)
        || handles->setup(handle->easy, handles->data) != NGX_OK)
    {
        ngx_flowdash_curl_handle_free(handle);
        return NULL;
    }

    return handle;
}


static ngx_int_t
ngx_flowdash_curl_handle_setup(CURL *easy)
{
    ngx_flowdash_curl_handle_pool_t  *pool;

    pool = &ngx_flowdash_curl_handle_pool;

    if (curl_easy_setopt(easy, CURLOPT_SHARE, pool->share)

        /* no signals, and no waiting for the thread that resolves a name */

        || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L)
        || curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L)

        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        || curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L)
        || curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L)

        /* ignore the proxies of the environment */

        || curl_easy_setopt(easy, CURLOPT_PROXY, "")
        || curl_easy_setopt(easy, CURLOPT_NOPROXY, "")

        || curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                            NGX_FLOWDASH_CURL_HANDLE_BUFFER)
        || curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                            NGX_FLOWDASH_CURL_HANDLE_UPLOAD)

        || curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION,
                            ngx_flowdash_curl_socket_close)
        || curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
                            pool->keepalive ? 0L : 1L)
        || curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                            (long) pool->keepalive_timeout)

        /* a name's new address must be noticed even if calls never pause */

        || curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
                            (long) pool->keepalive_time))
    {
        return NGX_ERROR;
    }

    /*
     * libcurl keeps the content of the system's CA file in memory.  If it had
     * the directory as well, it would read both for each connection, and the
     * worker would wait for the disk.
     */

    if (pool->cafile && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_flowdash_curl_handle_put(ngx_flowdash_curl_handle_t *handle,
    ngx_uint_t worn)
{
    ngx_flowdash_curl_handles_t  *handles;

    handles = handle->owner;

    handle->user = NULL;

    if (!worn && handles->nidle < NGX_FLOWDASH_CURL_HANDLE_IDLE) {
        ngx_queue_insert_head(&handles->idle, &handle->queue);
        handles->nidle++;
        return;
    }

    ngx_flowdash_curl_handle_free(handle);
    ngx_flowdash_curl_handle_clear_errors();
}


void
ngx_flowdash_curl_handle_abandon(ngx_flowdash_curl_handle_t *handle)
{
    handle->user = NULL;

    ngx_queue_remove(&handle->all);
    ngx_queue_insert_tail(&ngx_flowdash_curl_handle_pool.abandoned,
                          &handle->all);
}


static void
ngx_flowdash_curl_handle_free(ngx_flowdash_curl_handle_t *handle)
{
    ngx_queue_remove(&handle->all);

    curl_easy_cleanup(handle->easy);

    ngx_free(handle);
}


void *
ngx_flowdash_curl_handle_user(CURL *easy)
{
    ngx_flowdash_curl_handle_t  *handle;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle) == CURLE_OK
        && handle)
    {
        return handle->user;
    }

    return NULL;
}


void
ngx_flowdash_curl_handle_clear_errors(void)
{
#if (NGX_SSL)
    /* most often there are none, and a look costs far less than clearing */

    if (ngx_flowdash_curl_handle_pool.tls && ERR_peek_error()) {
        ERR_clear_error();
    }
#endif
}


void
ngx_flowdash_curl_handle_forget(void *data)
{
    ngx_flowdash_curl_handles_t *handles = data;

    ngx_queue_t                 *q, *next;
    ngx_flowdash_curl_handle_t  *handle;

    if (handles->idle.next == NULL) {

        /* no worker, or one that has not made this call */

        return;
    }

    for (q = ngx_queue_head(&handles->idle);
         q != ngx_queue_sentinel(&handles->idle);
         q = next)
    {
        next = ngx_queue_next(q);
        handle = ngx_queue_data(q, ngx_flowdash_curl_handle_t, queue);

        ngx_flowdash_curl_handle_free(handle);
    }

    ngx_queue_init(&handles->idle);
    handles->nidle = 0;
}
