
/*
 * What a dry run shows of one call, and the text it is written to.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_dry_run_write.h>


static void ngx_http_flowdash_dry_run_write_name(
    ngx_http_flowdash_dry_run_t *out, ngx_http_flowdash_step_t *step);
static void ngx_http_flowdash_dry_run_write_body(
    ngx_http_flowdash_dry_run_t *out, ngx_http_flowdash_exchange_t *ex);
static void ngx_http_flowdash_dry_run_write_slices(
    ngx_http_flowdash_dry_run_t *out, ngx_http_flowdash_slices_t *slices,
    size_t len);
static void ngx_http_flowdash_dry_run_write_tolerates(
    ngx_http_flowdash_dry_run_t *out, ngx_http_flowdash_step_t *step);
static void ngx_http_flowdash_dry_run_write_add(
    ngx_http_flowdash_dry_run_t *out, u_char *p, size_t len);


void
ngx_http_flowdash_dry_run_write_step(ngx_http_flowdash_dry_run_t *out,
    ngx_http_flowdash_exchange_t *ex, ngx_uint_t skipped)
{
    ngx_uint_t                     i;
    ngx_keyval_t                  *header;
    ngx_http_flowdash_loc_conf_t  *flcf;

    static ngx_str_t  post = ngx_string("POST");

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    ngx_http_flowdash_dry_run_write_name(out, ex->step);
    ngx_http_flowdash_dry_run_write_text(out, "\"handler\":");
    ngx_http_flowdash_dry_run_write_text(out,
                                         flcf->url
                                         ? "\"flowdash_call\""
                                         : "\"proxy_pass or another\"");
    ngx_http_flowdash_dry_run_write_text(out, ",\"method\":");
    ngx_http_flowdash_dry_run_write_string(out,
                                           flcf->method.len ? &flcf->method
                                           : ex->step->method.len
                                             ? &ex->step->method : &post);
    ngx_http_flowdash_dry_run_write_text(out, ",\"url\":");
    ngx_http_flowdash_dry_run_write_string(out, &ex->url);
    ngx_http_flowdash_dry_run_write_text(out, ",\"headers\":[");

    header = ex->headers.elts;

    for (i = 0; i < ex->headers.nelts; i++) {

        if (i) {
            ngx_http_flowdash_dry_run_write_text(out, ",");
        }

        ngx_http_flowdash_dry_run_write_string(out, &header[i].key);
    }

    ngx_http_flowdash_dry_run_write_text(out, "],\"body\":");

    ngx_http_flowdash_dry_run_write_body(out, ex);

    ngx_http_flowdash_dry_run_write_text(out, ",\"skipped\":");
    ngx_http_flowdash_dry_run_write_text(out, skipped ? "true" : "false");

    if (ex->step->kind == NGX_HTTP_FLOWDASH_KIND_STEP) {
        ngx_http_flowdash_dry_run_write_text(out, ",\"optional\":");
        ngx_http_flowdash_dry_run_write_text(out,
                                       ex->step->optional ? "true" : "false");
    }

    if (ex->step->tolerates) {
        ngx_http_flowdash_dry_run_write_tolerates(out, ex->step);
    }

    if (ex->error && !skipped) {
        ngx_http_flowdash_dry_run_write_text(out, ",\"error\":");
        ngx_http_flowdash_dry_run_write_string(out,
                                    ngx_http_flowdash_reason_name(ex->error));
        ngx_http_flowdash_dry_run_write_text(out, ",\"detail\":");
        ngx_http_flowdash_dry_run_write_string(out, &ex->detail);
    }
}


/* an undo is in its step, and needs no name */

static void
ngx_http_flowdash_dry_run_write_name(ngx_http_flowdash_dry_run_t *out,
    ngx_http_flowdash_step_t *step)
{
    if (step->kind == NGX_HTTP_FLOWDASH_KIND_UNDO) {
        return;
    }

    ngx_http_flowdash_dry_run_write_text(out,
                                   step->kind == NGX_HTTP_FLOWDASH_KIND_AFTER
                                   ? "\"after\":" : "\"step\":");
    ngx_http_flowdash_dry_run_write_string(out, &step->name);
    ngx_http_flowdash_dry_run_write_text(out, ",");
}


/* why a step is undone, and what the app answers, is not known */

static void
ngx_http_flowdash_dry_run_write_body(ngx_http_flowdash_dry_run_t *out,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_str_t                      text;
    ngx_http_flowdash_loc_conf_t  *flcf;

    static const char  *ends[] = {
        "}",
        ",\"undo\":{\"reason\":null,\"step\":null,\"key\":null}}",
        ",\"result\":null,\"response\":null}"
    };

    flcf = ngx_http_flowdash_exchange_conf(ex);

    if (ex->payload.len == 0) {
        ngx_http_flowdash_dry_run_write_text(out, "null");

    } else if (flcf->set_body && flcf->set_body->form) {
        if (ngx_http_flowdash_slices_text(&ex->payload, out->pool, &text)
            != NGX_OK)
        {
            out->failed = 1;
            return;
        }

        ngx_http_flowdash_dry_run_write_string(out, &text);

    } else if (flcf->set_body) {
        ngx_http_flowdash_dry_run_write_slices(out, &ex->payload,
                                               ex->payload.len);

    } else {
        ngx_http_flowdash_dry_run_write_slices(out, &ex->payload,
                                               ex->payload.len - 1);
        ngx_http_flowdash_dry_run_write_text(out, ends[ex->step->kind]);
    }
}


static void
ngx_http_flowdash_dry_run_write_slices(ngx_http_flowdash_dry_run_t *out,
    ngx_http_flowdash_slices_t *slices, size_t len)
{
    size_t      n;
    ngx_uint_t  i;

    for (i = 0; i < slices->nelts && len; i++) {

        n = ngx_min(len, slices->elts[i].len);
        len -= n;

        ngx_http_flowdash_dry_run_write_add(out, slices->elts[i].data, n);
    }
}


/* the conditions of flowdash_optional */

static void
ngx_http_flowdash_dry_run_write_tolerates(ngx_http_flowdash_dry_run_t *out,
    ngx_http_flowdash_step_t *step)
{
    const char          *before;
    ngx_conf_bitmask_t  *condition;

    before = ",\"tolerates\":[";

    for (condition = ngx_http_flowdash_retry_conditions;
         condition->name.len;
         condition++)
    {
        if (condition->mask & ~step->tolerates) {
            continue;
        }

        ngx_http_flowdash_dry_run_write_text(out, before);
        ngx_http_flowdash_dry_run_write_string(out, &condition->name);

        before = ",";
    }

    ngx_http_flowdash_dry_run_write_text(out, "]");
}


void
ngx_http_flowdash_dry_run_write_text(ngx_http_flowdash_dry_run_t *out,
    const char *text)
{
    ngx_http_flowdash_dry_run_write_add(out, (u_char *) text,
                                        ngx_strlen(text));
}


void
ngx_http_flowdash_dry_run_write_string(ngx_http_flowdash_dry_run_t *out,
    ngx_str_t *s)
{
    u_char  *p, *last;

    p = ngx_pnalloc(out->pool, s->len + 2
                               + ngx_escape_json(NULL, s->data, s->len));
    if (p == NULL) {
        out->failed = 1;
        return;
    }

    last = ngx_http_flowdash_json_write_string(p, s);

    ngx_http_flowdash_dry_run_write_add(out, p, last - p);
}


static void
ngx_http_flowdash_dry_run_write_add(ngx_http_flowdash_dry_run_t *out,
    u_char *p, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(out->pool);
    cl = ngx_alloc_chain_link(out->pool);

    if (b == NULL || cl == NULL) {
        out->failed = 1;
        return;
    }

    b->pos = p;
    b->last = p + len;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    *out->next = cl;
    out->next = &cl->next;

    out->last = b;
    out->length += len;
}
