
/*
 * A text of any length, written piece by piece, for flowdash_status.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>


#define NGX_HTTP_FLOWDASH_OUTPUT_SIZE  32768
#define NGX_HTTP_FLOWDASH_OUTPUT_MAX   4096


typedef uintptr_t (*ngx_http_flowdash_escape_pt)(u_char *dst, u_char *src,
    size_t size);


static void ngx_http_flowdash_output_escaped(ngx_http_flowdash_output_t *out,
    ngx_str_t *text, ngx_http_flowdash_escape_pt escape);


void
ngx_http_flowdash_output(ngx_http_flowdash_output_t *out, const char *fmt, ...)
{
    u_char       *p;
    va_list       args;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (out->failed) {
        return;
    }

    b = out->last ? out->last->buf : NULL;

    if (b == NULL || b->end - b->last < NGX_HTTP_FLOWDASH_OUTPUT_MAX) {

        b = ngx_create_temp_buf(out->pool, NGX_HTTP_FLOWDASH_OUTPUT_SIZE);
        cl = ngx_alloc_chain_link(out->pool);

        if (b == NULL || cl == NULL) {
            out->failed = 1;
            return;
        }

        cl->buf = b;
        cl->next = NULL;

        if (out->last) {
            out->last->next = cl;

        } else {
            out->first = cl;
        }

        out->last = cl;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(b->last, b->end, fmt, args);
    va_end(args);

    out->length += p - b->last;
    b->last = p;
}


void
ngx_http_flowdash_output_json(ngx_http_flowdash_output_t *out, ngx_str_t *text)
{
    ngx_http_flowdash_output_escaped(out, text, ngx_escape_json);
}


void
ngx_http_flowdash_output_html(ngx_http_flowdash_output_t *out, ngx_str_t *text)
{
    ngx_http_flowdash_output_escaped(out, text, ngx_escape_html);
}


static void
ngx_http_flowdash_output_escaped(ngx_http_flowdash_output_t *out,
    ngx_str_t *text, ngx_http_flowdash_escape_pt escape)
{
    u_char     *p;
    u_char      buf[NGX_HTTP_FLOWDASH_METRICS_NAME * 6];
    ngx_str_t   cut;

    cut = ngx_http_flowdash_metrics_name(text);

    p = (u_char *) escape(buf, cut.data, cut.len);

    ngx_http_flowdash_output(out, "%*s", p - buf, buf);
}
