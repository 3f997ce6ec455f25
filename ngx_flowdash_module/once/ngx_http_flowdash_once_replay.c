
/*
 * A request that was carried out before gets the same response again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_once_response.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_once.h>
#include <ngx_http_flowdash_once_header.h>
#include <ngx_http_flowdash_once_replay.h>


static ngx_int_t ngx_http_flowdash_once_replay_send(ngx_http_request_t *r,
    ngx_http_flowdash_once_response_t *response);


ngx_int_t
ngx_http_flowdash_once_replay(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_once_response_t  *response;

    response = &ctx->once->response;

    if (ngx_http_flowdash_once_response_read(&ctx->once->kept, response,
                                             r->pool)
        != NGX_OK
        || ngx_http_flowdash_once_header_put(r, response) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->state = NGX_HTTP_FLOWDASH_REPLAYED;

    ngx_http_finalize_request(r, ngx_http_flowdash_once_replay_send(r,
                                                                 response));

    return NGX_DONE;
}


static ngx_int_t
ngx_http_flowdash_once_replay_send(ngx_http_request_t *r,
    ngx_http_flowdash_once_response_t *response)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    /*
     * If-Match and the like were the app's to judge; and no error page may
     * lead to the app.
     */

    r->disable_not_modified = 1;
    r->error_page = 1;

    if (r->method != NGX_HTTP_HEAD && response->content_length == -1
        && response->status != NGX_HTTP_NO_CONTENT
        && response->status != NGX_HTTP_NOT_MODIFIED)
    {
        r->headers_out.content_length_n = response->body.len;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (response->body.len) {
        b->pos = response->body.data;
        b->last = b->pos + response->body.len;
        b->memory = 1;
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
