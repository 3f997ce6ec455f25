
/*
 * flowdash_result_headers: scripts learn from the response's headers that an
 * action has failed, whoever makes its body.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash_json_ascii.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_result_headers.h>


/*
 * Proxies in front may limit a whole header to 4k: a name or a message is cut
 * to so many bytes, each of which can become three.
 */

#define NGX_HTTP_FLOWDASH_RESULT_HEADERS_NAME  256
#define NGX_HTTP_FLOWDASH_RESULT_HEADERS_TEXT  768


static ngx_uint_t ngx_http_flowdash_result_headers_failed(
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_result_headers_drop(ngx_http_request_t *r);
static void ngx_http_flowdash_result_headers_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_uint_t ngx_http_flowdash_result_headers_has(ngx_list_t *headers,
    const char *name);
static void ngx_http_flowdash_result_headers_htmx(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_result_headers_add(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);


char *
ngx_http_flowdash_result_headers_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t  *value;

    if (flcf->result_headers != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        flcf->result_headers = NGX_HTTP_FLOWDASH_RESULT_HEADERS_ON;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        flcf->result_headers = NGX_HTTP_FLOWDASH_RESULT_HEADERS_OFF;

    } else if (ngx_strcmp(value[1].data, "failed") == 0) {
        flcf->result_headers = NGX_HTTP_FLOWDASH_RESULT_HEADERS_FAILED;

    } else {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                            "it must be \"on\", \"off\" or \"failed\"");
    }

    return NGX_CONF_OK;
}


void
ngx_http_flowdash_result_headers(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t                      result;
    ngx_http_flowdash_loc_conf_t  *flcf;

    /* an error page may be in a location of another kind */

    flcf = (ctx && ctx->conf)
           ? ctx->conf
           : ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (flcf->result_headers == NGX_HTTP_FLOWDASH_RESULT_HEADERS_OFF) {
        return;
    }

    ngx_http_flowdash_result_headers_drop(r);

    if (ctx == NULL) {
        return;
    }

    ngx_http_flowdash_ctx_result(ctx, &result);

    if (result.len == 0
        || (flcf->result_headers != NGX_HTTP_FLOWDASH_RESULT_HEADERS_ON
            && !ngx_http_flowdash_result_headers_failed(ctx)))
    {
        return;
    }

    ngx_http_flowdash_result_headers_add(r, "Flowdash-Result", &result);
    ngx_http_flowdash_result_headers_add(r, "Flowdash-Id", &ctx->id);

    if (ngx_http_flowdash_result_headers_failed(ctx)) {
        ngx_http_flowdash_result_headers_step(r, ctx);
        ngx_http_flowdash_result_headers_htmx(r, ctx);
    }
}


/* what the app has answered says by itself that it refuses the action */

static ngx_uint_t
ngx_http_flowdash_result_headers_failed(ngx_http_flowdash_ctx_t *ctx)
{
    return ctx->state == NGX_HTTP_FLOWDASH_FAILED
           || (ctx->state == NGX_HTTP_FLOWDASH_PASSED
               && ctx->outcome != NGX_HTTP_FLOWDASH_OUTCOME_OK
               && ctx->app_status == 0);
}


/* only the gateway says what became of an action */

static void
ngx_http_flowdash_result_headers_drop(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &r->headers_out.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_text_is(&h->key, "Flowdash-Result")
            || ngx_http_flowdash_text_is(&h->key, "Flowdash-Step")
            || ngx_http_flowdash_text_is(&h->key, "Flowdash-Id"))
        {
            h->hash = 0;
        }
    }
}


/* any UTF-8, percent-encoded: decodeURIComponent() gets it back */

static void
ngx_http_flowdash_result_headers_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_str_t  name, value;

    if (ctx->exchange == NULL
        || ngx_http_flowdash_clean(r->pool, &ctx->exchange->step->name,
                                   NGX_HTTP_FLOWDASH_RESULT_HEADERS_NAME,
                                   &name)
           != NGX_OK)
    {
        return;
    }

    value.len = name.len
                + 2 * ngx_escape_uri(NULL, name.data, name.len,
                                     NGX_ESCAPE_URI_COMPONENT);

    value.data = ngx_pnalloc(r->pool, value.len);
    if (value.data == NULL) {
        return;
    }

    (void) ngx_escape_uri(value.data, name.data, name.len,
                          NGX_ESCAPE_URI_COMPONENT);

    ngx_http_flowdash_result_headers_add(r, "Flowdash-Step", &value);
}


/*
 * htmx shows no answer with a status from 400 on, but triggers the events that
 * the header HX-Trigger names.  One that an error page sends stays as it is.
 */

static void
ngx_http_flowdash_result_headers_htmx(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char     *p;
    ngx_str_t   message, step, value;

    if (ctx->text.len == 0
        || !ngx_http_flowdash_result_headers_has(&r->headers_in.headers,
                                                 "HX-Request")
        || ngx_http_flowdash_result_headers_has(&r->headers_out.headers,
                                                "HX-Trigger"))
    {
        return;
    }

    ngx_str_null(&step);

    if (ngx_http_flowdash_clean(r->pool, &ctx->text,
                                NGX_HTTP_FLOWDASH_RESULT_HEADERS_TEXT,
                                &message)
        != NGX_OK
        || (ctx->exchange
            && ngx_http_flowdash_clean(r->pool, &ctx->exchange->step->name,
                                       NGX_HTTP_FLOWDASH_RESULT_HEADERS_NAME,
                                       &step)
               != NGX_OK))
    {
        return;
    }

    value.data = ngx_pnalloc(r->pool,
                     sizeof("{\"flowdash:failed\":{\"message\":,\"step\":,"
                            "\"id\":\"\"}}") - 1
                     + ngx_http_flowdash_json_ascii_length(&message)
                     + ngx_http_flowdash_json_ascii_length(&step)
                     + ctx->id.len);

    if (value.data == NULL) {
        return;
    }

    p = ngx_sprintf(value.data, "{\"flowdash:failed\":{\"message\":");
    p = ngx_http_flowdash_json_ascii_write(p, &message);
    p = ngx_sprintf(p, ",\"step\":");
    p = ngx_http_flowdash_json_ascii_write(p, &step);
    p = ngx_sprintf(p, ",\"id\":\"%V\"}}", &ctx->id);

    value.len = p - value.data;

    ngx_http_flowdash_result_headers_add(r, "HX-Trigger", &value);
}


static ngx_uint_t
ngx_http_flowdash_result_headers_has(ngx_list_t *headers, const char *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &headers->part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->hash && ngx_http_flowdash_text_is(&h->key, name)) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_flowdash_result_headers_add(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    if (value->len == 0) {
        return;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
}
