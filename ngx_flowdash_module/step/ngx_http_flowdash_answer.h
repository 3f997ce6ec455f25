
#ifndef _NGX_HTTP_FLOWDASH_ANSWER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/*
 * Appends a piece of the answer's body, for which the pool has the memory.
 * Returns NGX_OK, or NGX_DECLINED with ex->error set if the answer becomes too
 * large, or memory runs out.
 */
ngx_int_t ngx_http_flowdash_answer_add(ngx_http_flowdash_exchange_t *ex,
    ngx_pool_t *pool, u_char *p, size_t len);

/*
 * Judges how the subrequest ended; "rc" is what it was finalized with.  Sets
 * ex->status, and ex->error unless the step succeeded.
 */
void ngx_http_flowdash_answer_judge(ngx_http_flowdash_exchange_t *ex,
    ngx_int_t rc);

/*
 * Takes down, for the log, where a redirect with "ex->status" leads: without
 * user info, query and fragment.  It is not followed.
 */
void ngx_http_flowdash_answer_redirects(ngx_http_flowdash_exchange_t *ex,
    ngx_pool_t *pool, ngx_str_t *location);


#endif /* _NGX_HTTP_FLOWDASH_ANSWER_H_INCLUDED_ */
