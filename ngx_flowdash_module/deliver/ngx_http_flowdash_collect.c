
/*
 * The copy of the app's response that the after-steps get.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_gzip.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_whole_state.h>
#include <ngx_http_flowdash_whole_file.h>
#include <ngx_http_flowdash_collect.h>


static ngx_int_t ngx_http_flowdash_collect_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_http_flowdash_collect_is_gzip(ngx_http_request_t *r);
static void ngx_http_flowdash_collect_read(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole, ngx_chain_t *in);
static ngx_int_t ngx_http_flowdash_collect_add(
    ngx_http_flowdash_whole_t *whole, ngx_buf_t *b);
static void ngx_http_flowdash_collect_end(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole);
static ngx_int_t ngx_http_flowdash_collect_gunzip(
    ngx_http_flowdash_whole_t *whole);


static ngx_http_output_body_filter_pt  ngx_http_next_body_filter;


void
ngx_http_flowdash_collect_init(void)
{
    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_flowdash_collect_body_filter;
}


static ngx_int_t
ngx_http_flowdash_collect_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = (r == r->main) ? ngx_http_flowdash_get_ctx(r) : NULL;

    if (ctx && ctx->whole && ctx->whole->collecting) {
        ngx_http_flowdash_collect_read(r, ctx->whole, in);
    }

    return ngx_http_next_body_filter(r, in);
}


void
ngx_http_flowdash_collect_begin(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    ngx_str_t  type;

    type = r->headers_out.content_type;

    if (type.len == 0 || !ngx_http_flowdash_text_is_json_type(&type)) {
        return;
    }

    if (r->headers_out.content_length_n > NGX_HTTP_FLOWDASH_COLLECT_MAX
        || (r->headers_out.content_encoding
            && r->headers_out.content_encoding->value.len
            && !ngx_http_flowdash_collect_is_gzip(r)))
    {
        whole->record->truncated = 1;
        return;
    }

    /* until its end has come */

    whole->record->truncated = 1;
    whole->collecting = 1;
    whole->room = (r->headers_out.content_length_n >= 0)
                  ? (size_t) r->headers_out.content_length_n
                  : NGX_HTTP_FLOWDASH_COLLECT_MAX;
    whole->gzip = ngx_http_flowdash_collect_is_gzip(r);

    r->filter_need_in_memory = 1;
}


static ngx_uint_t
ngx_http_flowdash_collect_is_gzip(ngx_http_request_t *r)
{
    ngx_table_elt_t  *coding;

    coding = r->headers_out.content_encoding;

    return coding && ngx_http_flowdash_text_is(&coding->value, "gzip");
}


static void
ngx_http_flowdash_collect_read(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole, ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (!ngx_buf_special(b)
            && ngx_http_flowdash_collect_add(whole, b) != NGX_OK)
        {
            ngx_str_null(&whole->response);
            ngx_http_flowdash_whole_complete(whole, r->connection->log);
            return;
        }

        if (b->last_buf) {
            ngx_http_flowdash_collect_end(r, whole);
            return;
        }
    }
}


static ngx_int_t
ngx_http_flowdash_collect_add(ngx_http_flowdash_whole_t *whole, ngx_buf_t *b)
{
    size_t  len;

    if (!ngx_buf_in_memory(b)) {
        return NGX_ERROR;
    }

    len = b->last - b->pos;

    if (len > whole->room - whole->response.len) {
        return NGX_ERROR;
    }

    if (whole->response.data == NULL) {

        whole->response.data = ngx_pnalloc(whole->record->pool, whole->room);
        if (whole->response.data == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(whole->response.data + whole->response.len, b->pos, len);

    whole->response.len += len;

    return NGX_OK;
}


/* the response has come to its end: keeps it if it is JSON */

static void
ngx_http_flowdash_collect_end(ngx_http_request_t *r,
    ngx_http_flowdash_whole_t *whole)
{
    size_t                           offset;
    ngx_int_t                        rc;
    yajl_handle                      yajl;
    ngx_http_flowdash_json_memory_t  memory;

    rc = whole->gzip ? ngx_http_flowdash_collect_gunzip(whole) : NGX_OK;

    if (rc == NGX_OK) {
        whole->record->truncated = 0;

        if (ngx_http_flowdash_json_check_text(&whole->response) == NULL
            && ngx_http_flowdash_json_run(&memory, NULL, NULL, &yajl,
                                          &whole->response, &offset,
                                          r->connection->log)
               == NGX_OK)
        {
            whole->record->response = whole->response;
        }
    }

    ngx_http_flowdash_whole_complete(whole, r->connection->log);
}


static ngx_int_t
ngx_http_flowdash_collect_gunzip(ngx_http_flowdash_whole_t *whole)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_gzip_t  *gz;

    gz = ngx_http_flowdash_gzip_create(whole->record->pool,
                                       NGX_HTTP_FLOWDASH_COLLECT_MAX);
    if (gz == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_gzip_read(gz, whole->response.data,
                                     whole->response.len);

    while (rc == NGX_AGAIN) {
        rc = ngx_http_flowdash_gzip_read(gz, NULL, 0);
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_gzip_end(gz, &whole->response)
                          : rc;
}
