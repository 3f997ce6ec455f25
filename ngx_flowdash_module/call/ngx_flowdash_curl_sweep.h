
#ifndef _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


/*
 * Prepares the worker.  Sweeps are transfers of "sweeper", an easy handle that
 * stays the caller's and serves nothing else.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_sweep_init(ngx_log_t *log, CURLM *multi,
    CURL *sweeper);

/* Ends a sweep that is running; there are no more. */
void ngx_flowdash_curl_sweep_exit(void);

/* Sweeps in "time" milliseconds, if no sweep is running or planned. */
void ngx_flowdash_curl_sweep_after(ngx_msec_t time);

/* Sweeps as soon as libcurl looks again, even if one is planned for later. */
void ngx_flowdash_curl_sweep_soon(void);

/* To be called when the sweeper's transfer has ended. */
void ngx_flowdash_curl_sweep_end(void);


/*
 * Shuts an idle socket down, so that libcurl finds it dead and drops it.
 * libcurl 7.88 would use an idle connection with something to read, and take
 * what the endpoint has sent unasked, such as 408 before it closes, for the
 * answer to the next call.  Over HTTP/2 libcurl reads it: it may be a frame of
 * the connection itself.
 */
void ngx_flowdash_curl_sweep_shutdown(ngx_socket_t fd);


#endif /* _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_ */
