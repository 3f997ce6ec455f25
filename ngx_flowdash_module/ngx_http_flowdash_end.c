
/*
 * The end of an execution: the app answers, or nginx ends the request before.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_outcome.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_client.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_user_headers.h>
#include <ngx_http_flowdash_dry_run.h>
#include <ngx_http_flowdash_whole.h>
#include <ngx_http_flowdash_once.h>
#include <ngx_http_flowdash_error.h>
#include <ngx_http_flowdash_error_internal.h>
#include <ngx_http_flowdash_unread.h>
#include <ngx_http_flowdash_result_headers.h>
#include <ngx_http_flowdash_end.h>


static ngx_int_t ngx_http_flowdash_end_first_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_http_flowdash_end_is_page_of_nginx(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_end_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_end_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_flowdash_end_unpassed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_end_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at);


static ngx_http_output_header_filter_pt  ngx_http_second_header_filter;
static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_flowdash_end_init(ngx_http_flowdash_main_conf_t *fmcf)
{
    if (fmcf->whole) {

        /* they see the header after this file's filter */

        ngx_http_flowdash_whole_init();
    }

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_flowdash_end_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_flowdash_end_body_filter;
}


/*
 * Before all other filters, whose order is that of the modules: so that
 * "add_header" can say how the action ended, and none has changed the status.
 */

void
ngx_http_flowdash_end_init_first(void)
{
    ngx_http_second_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_flowdash_end_first_filter;
}


/* the header of the app's answer, or of a page */

static ngx_int_t
ngx_http_flowdash_end_first_filter(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t  *ctx;

    if (r == r->main) {
        ctx = ngx_http_flowdash_get_ctx(r);

        if (ctx && ctx->state == NGX_HTTP_FLOWDASH_PASSED) {
            ngx_http_flowdash_client_restore(r);
            ngx_http_flowdash_end_outcome(r, ctx,
                                          NGX_HTTP_FLOWDASH_OUTCOME_AT_HEADER);

            if (ngx_http_flowdash_end_is_page_of_nginx(r, ctx)) {
                ngx_http_flowdash_error_unreached(r, ctx);
            }
        }
    }

    return ngx_http_second_header_filter(r);
}


/*
 * Whether this is the header of the page that nginx has for an app that did
 * not get the request, not of one that error_page has led to.
 */

static ngx_uint_t
ngx_http_flowdash_end_is_page_of_nginx(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (ctx->outcome != NGX_HTTP_FLOWDASH_OUTCOME_REFUSED || ctx->reached
        || ctx->fallback
        || r->err_status < NGX_HTTP_INTERNAL_SERVER_ERROR
        || r->err_status != r->headers_out.status
        || r->error_page != ctx->error_page
        || r->method != ctx->passed_method)
    {
        return 0;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* nobody can tell there */

    return !clcf->recursive_error_pages;
}


/* what the module adds, behind what other directives add */

static ngx_int_t
ngx_http_flowdash_end_header_filter(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    /* nginx drops all headers when it puts a page in the place of an answer */

    if (ctx && ngx_http_flowdash_user_headers_add(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_result_headers(r, ctx);

    if (ctx) {
        ngx_http_flowdash_whole_outcome(r, ctx);
    }

    return ngx_http_next_header_filter(r);
}


/* the module's page in the place of all of nginx's */

static ngx_int_t
ngx_http_flowdash_end_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t               out, *cl;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = (r == r->main) ? ngx_http_get_module_ctx(r, ngx_http_flowdash_module)
                         : NULL;

    if (in == NULL || ctx == NULL || (ctx->page == NULL && !ctx->replaced)) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
    }

    if (ctx->replaced) {
        return ngx_http_next_body_filter(r, NULL);
    }

    out.buf = ctx->page;
    out.next = NULL;

    ctx->page = NULL;
    ctx->replaced = 1;

    return ngx_http_next_body_filter(r, &out);
}


void
ngx_http_flowdash_end(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->state == NGX_HTTP_FLOWDASH_PASSED) {
        ngx_http_flowdash_end_outcome(r, ctx,
                                      NGX_HTTP_FLOWDASH_OUTCOME_AT_END);
    } else {
        ngx_http_flowdash_end_unpassed(r, ctx);
    }

    /* the record is written before another execution may have the key */

    ngx_http_flowdash_whole_end(r, ctx);
    ngx_http_flowdash_once_end(r, ctx);
}


static void
ngx_http_flowdash_end_unpassed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->state == NGX_HTTP_FLOWDASH_IDENTIFYING
        || ctx->state == NGX_HTTP_FLOWDASH_FETCHING)
    {
        (void) ngx_http_flowdash_dry_run_was_asked(r, ctx);
    }

    ngx_http_flowdash_unread_end(r, ctx);
    ngx_http_flowdash_error_internal_end(r, ctx);
}


void
ngx_http_flowdash_end_redirected(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_end_outcome(r, ctx,
                                  NGX_HTTP_FLOWDASH_OUTCOME_AT_REDIRECT);
}


static void
ngx_http_flowdash_end_outcome(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at)
{
    if (ngx_http_flowdash_outcome_take(r, ctx, at) != NGX_OK) {
        return;
    }

    /* at a redirect, nobody knows yet what the client will get */

    ctx->status = (at == NGX_HTTP_FLOWDASH_OUTCOME_AT_REDIRECT)
                  ? 0 : r->headers_out.status;

    if (ctx->state == NGX_HTTP_FLOWDASH_ABORTED) {
        ngx_http_flowdash_log_aborted(r, ctx);

    } else {
        ngx_http_flowdash_log_outcome(r, ctx);
        ngx_http_flowdash_count_app(ctx);
    }

    ngx_http_flowdash_count_ended(ctx);
}
