
/*
 * A dry run: the client is told what the steps would send, and no endpoint is
 * called.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_pointer.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_extract_field.h>
#include <ngx_http_flowdash_identity.h>
#include <ngx_http_flowdash_once_key.h>
#include <ngx_http_flowdash_url_make.h>
#include <ngx_http_flowdash_step.h>
#include <ngx_http_flowdash_dry_run_write.h>
#include <ngx_http_flowdash_dry_run.h>


static ngx_int_t ngx_http_flowdash_dry_run_extracted(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_dry_run_t *out);
static ngx_uint_t ngx_http_flowdash_dry_run_is_hidden(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract);
static ngx_int_t ngx_http_flowdash_dry_run_steps(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_array_t *steps,
    ngx_http_flowdash_dry_run_t *out);
static ngx_int_t ngx_http_flowdash_dry_run_once(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_dry_run_t *out);
static ngx_int_t ngx_http_flowdash_dry_run_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_step_t *step,
    ngx_http_flowdash_dry_run_t *out);
static ngx_int_t ngx_http_flowdash_dry_run_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_dry_run_undoes(
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_dry_run_send(ngx_http_request_t *r,
    ngx_http_flowdash_dry_run_t *out);


ngx_int_t
ngx_http_flowdash_dry_run_asked(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_value_t  value;

    if (ctx->conf->dry_run == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_value_test(r, ctx->conf->dry_run, &value);

    if (rc == NGX_OK) {
        ctx->dry_run = 1;
        return NGX_OK;
    }

    if (rc == NGX_DECLINED && value.ambiguous) {

        /* what may be meant as a dry run must not be executed */

        *error = "flowdash_dry_run depends on a field that the task has "
                 "twice, or on an extracted value that is not a scalar";
        return NGX_DECLINED;
    }

    return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_http_flowdash_dry_run_was_asked(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    const char  *error;

    /* what cannot be told is counted */

    (void) ngx_http_flowdash_dry_run_asked(r, ctx, &error);

    return ctx->dry_run;
}


/*
 * {"dry_run":true,"id":ID,"action":NAME,"user_from":WHERE,"extracted":{...},
 * "once":{...},"steps":[...],"after":[...]}; four members are there only with
 * flowdash_user_from, flowdash_extract, flowdash_once and flowdash_after
 */

ngx_int_t
ngx_http_flowdash_dry_run(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_dry_run_t  out;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash action \"%V\" is a dry run", &ctx->action);

    ngx_memzero(&out, sizeof(ngx_http_flowdash_dry_run_t));

    out.pool = r->pool;
    out.next = &out.first;

    ngx_http_flowdash_dry_run_write_text(&out, "{\"dry_run\":true,\"id\":");
    ngx_http_flowdash_dry_run_write_string(&out, &ctx->id);
    ngx_http_flowdash_dry_run_write_text(&out, ",\"action\":");
    ngx_http_flowdash_dry_run_write_string(&out, &ctx->action);

    if (ctx->conf->user_from) {
        ngx_http_flowdash_dry_run_write_text(&out,
                                             ctx->user_cached
                                             ? ",\"user_from\":\"cache\""
                                             : ",\"user_from\":\"app\"");
    }

    if (ctx->conf->extracts
        && ngx_http_flowdash_dry_run_extracted(r, ctx, &out) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->conf->once
        && ngx_http_flowdash_dry_run_once(r, ctx, &out) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_dry_run_write_text(&out, ",\"steps\":[");

    if (ngx_http_flowdash_dry_run_steps(r, ctx, ctx->conf->steps, &out)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->conf->afters) {
        ngx_http_flowdash_dry_run_write_text(&out, "],\"after\":[");

        if (ngx_http_flowdash_dry_run_steps(r, ctx, ctx->conf->afters, &out)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_http_flowdash_dry_run_write_text(&out, "]}\n");

    if (out.failed) {
        return NGX_ERROR;
    }

    ctx->state = NGX_HTTP_FLOWDASH_DRY_RUN;

    ngx_http_finalize_request(r, ngx_http_flowdash_dry_run_send(r, &out));

    return NGX_DONE;
}


/* a field that a step is not told is not shown either */

static ngx_int_t
ngx_http_flowdash_dry_run_extracted(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_dry_run_t *out)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_extract_t    *extract;
    ngx_http_flowdash_extracted_t   value;

    extract = ctx->conf->extracts->elts;

    ngx_http_flowdash_dry_run_write_text(out, ",\"extracted\":{");

    for (i = 0; i < ctx->conf->extracts->nelts; i++) {

        if (ngx_http_flowdash_extract_field_get(r, ctx, i, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (i) {
            ngx_http_flowdash_dry_run_write_text(out, ",");
        }

        ngx_http_flowdash_dry_run_write_string(out, extract[i].name);
        ngx_http_flowdash_dry_run_write_text(out, ":");

        if (ngx_http_flowdash_dry_run_is_hidden(ctx, &extract[i])
            || ngx_http_flowdash_text_check_utf8(&value.text))
        {
            ngx_http_flowdash_dry_run_write_text(out, "null");
            continue;
        }

        ngx_http_flowdash_dry_run_write_string(out, &value.text);
    }

    ngx_http_flowdash_dry_run_write_text(out, "}");

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_dry_run_is_hidden(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_extract_t *extract)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_step_t    **step;
    ngx_http_flowdash_token_t    *token;

    if (extract->from != NGX_HTTP_FLOWDASH_FROM_TASK
        && extract->from != NGX_HTTP_FLOWDASH_FROM_STORED)
    {
        return 0;
    }

    token = extract->pointer.elts;
    step = ctx->conf->steps->elts;

    for (i = 0; i < ctx->conf->steps->nelts; i++) {
        if (!ngx_http_flowdash_told(
                  step[i]->loc_conf[ngx_http_flowdash_module.ctx_index],
                  &token->name))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_dry_run_steps(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_array_t *steps,
    ngx_http_flowdash_dry_run_t *out)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_step_t  **step;

    step = steps->elts;

    for (i = 0; i < steps->nelts; i++) {

        ngx_http_flowdash_dry_run_write_text(out, i ? ",\n{" : "\n{");

        if (ngx_http_flowdash_dry_run_step(r, ctx, step[i], out) != NGX_OK) {
            return NGX_ERROR;
        }

        if (step[i]->undo) {
            ngx_http_flowdash_dry_run_write_text(out, ",\n \"undo\":{");

            if (ngx_http_flowdash_dry_run_step(r, ctx, step[i]->undo, out)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            ngx_http_flowdash_dry_run_write_text(out, "}");
        }

        ngx_http_flowdash_dry_run_write_text(out, "}");
    }

    return NGX_OK;
}


/* no key is taken, and no response that is kept is shown */

static ngx_int_t
ngx_http_flowdash_dry_run_once(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_dry_run_t *out)
{
    u_char                           key[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    u_char                           request[NGX_HTTP_FLOWDASH_ID_DIGEST_LEN];
    ngx_int_t                        rc;
    ngx_str_t                        text;
    const char                      *use;
    ngx_http_flowdash_once_result_e  result;

    rc = ngx_http_flowdash_once_key(r, ctx, &text, key, request, &result);

    switch (rc) {

    case NGX_OK:
        use = "\"used\"";
        break;

    case NGX_DECLINED:
        use = text.len ? "\"no user\"" : "\"no key\"";
        break;

    case NGX_ABORT:
        use = "\"refused\"";
        break;

    default:
        return NGX_ERROR;
    }

    ngx_http_flowdash_dry_run_write_text(out, ",\"once\":{\"key\":");

    if (ngx_http_flowdash_text_check_utf8(&text)) {
        ngx_http_flowdash_dry_run_write_text(out, "null");

    } else {
        ngx_http_flowdash_dry_run_write_string(out, &text);
    }

    ngx_http_flowdash_dry_run_write_text(out, ",\"result\":");
    ngx_http_flowdash_dry_run_write_text(out, use);
    ngx_http_flowdash_dry_run_write_text(out, "}");

    return NGX_OK;
}


/*
 * The exchange is not added to ctx->exchanges, as the step is not executed.  A
 * step that would be skipped is shown as well: an answer to an earlier step
 * may change that.
 */

static ngx_int_t
ngx_http_flowdash_dry_run_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_step_t *step,
    ngx_http_flowdash_dry_run_t *out)
{
    ngx_int_t                      rc;
    ngx_uint_t                     skipped;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_exchange_t));
    if (ex == NULL) {
        return NGX_ERROR;
    }

    ex->step = step;

    rc = ngx_http_flowdash_step_condition(r, ex);

    skipped = (rc == NGX_DECLINED && !ex->error);

    if (rc == NGX_OK || skipped) {
        rc = ngx_http_flowdash_dry_run_call(r, ctx, ex);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_dry_run_write_step(out, ex, skipped);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_dry_run_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                      rc;
    ngx_str_t                      url, host;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    rc = ngx_http_flowdash_step_request(r, ctx, ex);

    if (rc == NGX_OK && flcf->url) {
        rc = ngx_http_flowdash_url_make(r, ex, flcf->url, &url, &host);
    }

    /* only the names are shown */

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_dry_run_undoes(ex);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_identity_call(r->pool, &ctx->trace, ex,
                                             &ex->headers);
    }

    return rc;
}


/* a header that deliver/render adds */

static ngx_int_t
ngx_http_flowdash_dry_run_undoes(ngx_http_flowdash_exchange_t *ex)
{
    ngx_keyval_t  *header;

    if (ex->step->kind != NGX_HTTP_FLOWDASH_KIND_UNDO) {
        return NGX_OK;
    }

    header = ngx_array_push(&ex->headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&header->key, "Flowdash-Undo");
    ngx_str_null(&header->value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_dry_run_send(ngx_http_request_t *r,
    ngx_http_flowdash_dry_run_t *out)
{
    ngx_int_t  rc;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = out->length;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /*
     * If-Match and the like are about the app's resource, which this is not;
     * and no error page may lead to the app.
     */

    r->disable_not_modified = 1;
    r->error_page = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out->last->last_buf = 1;
    out->last->last_in_chain = 1;

    return ngx_http_output_filter(r, out->first);
}
