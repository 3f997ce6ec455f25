
/*
 * The payload of a step.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_told.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_user.h>
#include <ngx_http_flowdash_payload.h>


static ngx_int_t ngx_http_flowdash_payload_default(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf);
static void ngx_http_flowdash_payload_write(
    ngx_http_flowdash_slices_writer_t *w, ngx_http_flowdash_ctx_t *ctx,
    ngx_array_t *user);
static ngx_int_t ngx_http_flowdash_payload_template(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf);
static void ngx_http_flowdash_payload_write_parts(
    ngx_http_flowdash_slices_writer_t *w, ngx_http_flowdash_body_part_t *part,
    ngx_str_t *text, ngx_uint_t n);
static ngx_int_t ngx_http_flowdash_payload_value(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_body_part_t *part, ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_payload(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    if (flcf->set_body) {
        return ngx_http_flowdash_payload_template(r, ex, flcf);
    }

    if (ngx_http_flowdash_payload_type(flcf) == NULL) {
        return NGX_OK;
    }

    return ngx_http_flowdash_payload_default(r, ctx, ex, flcf);
}


ngx_str_t *
ngx_http_flowdash_payload_type(ngx_http_flowdash_loc_conf_t *flcf)
{
    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  form = ngx_string("application/x-www-form-urlencoded");

    if (flcf->set_body) {
        return flcf->set_body->form ? &form : &json;
    }

    return ngx_http_flowdash_text_is(&flcf->method, "DELETE") ? NULL : &json;
}


/* {"action":NAME,"user":{...},"task":{...}} */

static ngx_int_t
ngx_http_flowdash_payload_default(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_array_t                        *user;
    ngx_http_flowdash_user_t            room;
    ngx_http_flowdash_slices_writer_t   w;

    user = ngx_http_flowdash_user(r, ex, flcf, &room);

    if (user == NULL) {
        return ex->error ? NGX_DECLINED : NGX_ERROR;
    }

    ngx_http_flowdash_told_mark(flcf, ctx->task);

    ngx_memzero(&w, sizeof(ngx_http_flowdash_slices_writer_t));

    ngx_http_flowdash_payload_write(&w, ctx, user);

    if (ngx_http_flowdash_slices_begin(&w, r->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_payload_write(&w, ctx, user);

    ngx_http_flowdash_slices_end(&w, &ex->payload);

    return NGX_OK;
}


static void
ngx_http_flowdash_payload_write(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_ctx_t *ctx, ngx_array_t *user)
{
    u_char  *p;
    size_t   len;

    len = sizeof("{\"action\":,\"user\":,\"task\":") - 1;

    if (w->elts == NULL) {
        len += ngx_http_flowdash_json_string_length(&ctx->action)
               + ngx_http_flowdash_user_length(user);
    }

    p = ngx_http_flowdash_slices_room(w, len);

    if (p) {
        p = ngx_cpymem(p, "{\"action\":", sizeof("{\"action\":") - 1);
        p = ngx_http_flowdash_json_write_string(p, &ctx->action);
        p = ngx_cpymem(p, ",\"user\":", sizeof(",\"user\":") - 1);
        p = ngx_http_flowdash_user_write(p, user);
        p = ngx_cpymem(p, ",\"task\":", sizeof(",\"task\":") - 1);

        ngx_http_flowdash_slices_fill(w, p);
    }

    ngx_http_flowdash_task_write_told(w, ctx->task);
    ngx_http_flowdash_slices_write_text(w, "}");
}


static ngx_int_t
ngx_http_flowdash_payload_template(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_int_t                          rc;
    ngx_str_t                         *text;
    ngx_uint_t                         i, n;
    ngx_http_flowdash_body_part_t     *part;
    ngx_http_flowdash_slices_writer_t  w;

    part = flcf->set_body->parts.elts;
    n = flcf->set_body->parts.nelts;

    text = ngx_palloc(r->pool, n * sizeof(ngx_str_t));
    if (text == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        text[i] = part[i].text;

        if (part[i].value) {

            rc = ngx_http_flowdash_payload_value(r, ex, flcf, &part[i],
                                                 &text[i]);
            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    ngx_memzero(&w, sizeof(ngx_http_flowdash_slices_writer_t));

    ngx_http_flowdash_payload_write_parts(&w, part, text, n);

    if (ngx_http_flowdash_slices_begin(&w, r->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_payload_write_parts(&w, part, text, n);

    ngx_http_flowdash_slices_end(&w, &ex->payload);

    /* nginx has made it for this value only, and it may be large */

    for (i = 0; i < n; i++) {
        if (part[i].value && part[i].value->lengths) {
            (void) ngx_pfree(r->pool, text[i].data);
        }
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_payload_write_parts(ngx_http_flowdash_slices_writer_t *w,
    ngx_http_flowdash_body_part_t *part, ngx_str_t *text, ngx_uint_t n)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    for (i = 0; i < n; i++) {

        len = w->elts ? 0
              : ngx_http_flowdash_template_write(NULL, part[i].place,
                                                 &text[i]);

        p = ngx_http_flowdash_slices_room(w, len);

        if (p) {
            p += ngx_http_flowdash_template_write(p, part[i].place, &text[i]);
            ngx_http_flowdash_slices_fill(w, p);
        }
    }
}


/* what cannot be judged is not sent: it could mean something else */

static ngx_int_t
ngx_http_flowdash_payload_value(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_body_part_t *part, ngx_str_t *text)
{
    ngx_http_flowdash_value_t  value;

    if (ngx_http_flowdash_value_secret_raw(r, flcf, part->value, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (value.ambiguous) {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                   "%V of flowdash_set_body depends on a field that the task "
                   "has twice", &part->text);
    }

    if (value.invalid || ngx_http_flowdash_text_check_utf8(&value.text)) {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                   "the value of %V in flowdash_set_body is not UTF-8",
                   &part->text);
    }

    *text = value.text;

    return NGX_OK;
}
