
#ifndef _NGX_FLOWDASH_CURL_MULTI_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_MULTI_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


/*
 * Who uses the worker's multi handle.  libcurl is not running when these are
 * called, so that they may add and remove easy handles.
 */

typedef struct {

    /* libcurl is called next */
    void  (*prepare)(void);

    /* an easy handle's transfer has ended; the handle must be removed */
    void  (*ended)(CURL *easy, CURLcode result);

    /* libcurl has done all that there was to do */
    void  (*turn)(void);

    /*
     * libcurl has failed.  The handles in "multi" are lost: they must not be
     * removed or cleaned up.  Their sockets are closed.  What "multi" has to
     * say of those that had ended can still be read.  A turn follows.
     */
    void  (*abandoned)(CURLM *multi);

} ngx_flowdash_curl_multi_user_t;


/* Makes the worker's multi handle.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_flowdash_curl_multi_init(ngx_log_t *log,
    ngx_flowdash_curl_multi_user_t *user);

/* The worker exits: closes all connections.  No handle may be left in it. */
void ngx_flowdash_curl_multi_exit(void);

/*
 * Adds an easy handle; its transfer begins in an event to come.  Returns
 * NGX_OK, NGX_DECLINED if only this handle cannot be added, or NGX_ERROR: then
 * it is lost with the multi handle.  Both errors are logged.
 */
ngx_int_t ngx_flowdash_curl_multi_add(CURL *easy);

/*
 * Removes an easy handle.  Returns NGX_OK, or NGX_ERROR, which is logged: then
 * this handle is lost with the multi handle.
 */
ngx_int_t ngx_flowdash_curl_multi_remove(CURL *easy);

/* Sets how many connections libcurl keeps, at least 1. */
void ngx_flowdash_curl_multi_keep(ngx_uint_t n);

/* Whether libcurl's timer keeps a worker from exiting. */
void ngx_flowdash_curl_multi_hold(ngx_uint_t hold);

/* Lets libcurl run in an event of its own, with a turn to follow. */
void ngx_flowdash_curl_multi_post(void);

/* Is there such an event? */
ngx_uint_t ngx_flowdash_curl_multi_posted(void);

/* Lets libcurl handle the events of a socket, CURL_CSELECT_IN or _OUT. */
void ngx_flowdash_curl_multi_action(curl_socket_t fd, int events);


#endif /* _NGX_FLOWDASH_CURL_MULTI_H_INCLUDED_ */
