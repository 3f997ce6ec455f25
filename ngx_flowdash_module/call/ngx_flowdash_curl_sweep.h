
#ifndef _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


/*
 * Prepares the worker, whose multi handle closes connections that are idle for
 * "timeout" seconds.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_flowdash_curl_sweep_init(ngx_log_t *log, time_t timeout);

/* The worker exits: there are no more sweeps. */
void ngx_flowdash_curl_sweep_exit(void);

/*
 * To be called when a transfer has ended: tells whether it was a sweep, and
 * plans the next one then.
 */
ngx_uint_t ngx_flowdash_curl_sweep_is_ended(CURL *easy);

/* The multi handle was abandoned, with the sweep that was running in it. */
void ngx_flowdash_curl_sweep_abandon(void);


#endif /* _NGX_FLOWDASH_CURL_SWEEP_H_INCLUDED_ */
