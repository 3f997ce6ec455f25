
#ifndef _NGX_HTTP_FLOWDASH_WHOLE_FILE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_WHOLE_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Writes a line if it could be made ("rc").  Returns NGX_OK or NGX_ERROR, from
 * then on always: a record that lacks a line would not mean the same.
 */
ngx_int_t ngx_http_flowdash_whole_write(ngx_http_flowdash_whole_t *whole,
    ngx_int_t rc, ngx_str_t *line, ngx_log_t *log);

/*
 * Lets a thread sync the file, if it has to be.  Returns NGX_OK, NGX_ERROR, or
 * NGX_AGAIN: when it is done, whole->synced is set, and the request's write
 * event handler runs.
 */
ngx_int_t ngx_http_flowdash_whole_sync(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);

/*
 * Gives the record away, unless something of it is still to come.  Afterwards
 * "whole" may be gone, as after all functions that do this.
 */
void ngx_http_flowdash_whole_settle(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log);

/* Records the response as far as it was collected, and sends the record. */
void ngx_http_flowdash_whole_complete(ngx_http_flowdash_whole_t *whole,
    ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_WHOLE_FILE_H_INCLUDED_ */
