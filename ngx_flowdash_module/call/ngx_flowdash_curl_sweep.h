
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


#endif /* _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_ */
