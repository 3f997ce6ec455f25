
#ifndef _NGX_HTTP_FLOWDASH_ERROR_TEXT_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_error_language_table.h>


/* what the user is told about a failure; no name is escaped */

typedef struct {
    ngx_str_t                            action;    /* or empty */
    ngx_str_t                            step;      /* or empty */
    ngx_str_t                            told;      /* steps carried out
                                                       although the app is not
                                                       there: JSON; or empty */
    ngx_uint_t                           undoing;  /* unsigned  undoing:1;
                                                       these steps */
    ngx_http_flowdash_error_language_t  *language;
    ngx_http_flowdash_error_saying_e     happened;
    ngx_http_flowdash_error_saying_e     advice;
    unsigned                             repeated:1;  /* the app may have
                                                         changed before */
} ngx_http_flowdash_error_text_t;


/*
 * Chooses what to tell the user about the failure of an execution, in the
 * language that the client prefers.
 */
void ngx_http_flowdash_error_text(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);

/*
 * The same for an execution that was refused because the app did not get its
 * request.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_text_unreached(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);

/*
 * Makes the sentences that say what happened: the "detail" of problem+json.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_text_detail(ngx_pool_t *pool,
    ngx_http_flowdash_error_text_t *text, ngx_str_t *detail);

/*
 * Makes ctx->text, the value of $flowdash_error_text: the same in one line of
 * at most 2 kB without control characters, followed by the endpoint's message
 * and errors.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_text_whole(ngx_pool_t *pool,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_text_t *text);


#endif /* _NGX_HTTP_FLOWDASH_ERROR_TEXT_H_INCLUDED_ */
