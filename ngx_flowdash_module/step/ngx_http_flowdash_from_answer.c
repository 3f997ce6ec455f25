
/*
 * The fields that are set from any place of a step's answer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_select.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_from_answer.h>


static ngx_http_flowdash_json_select_t *ngx_http_flowdash_from_answer_find(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_array_t *fields);
static ngx_int_t ngx_http_flowdash_from_answer_check(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_from_answer_t *from,
    ngx_http_flowdash_json_select_t *sel);
static ngx_int_t ngx_http_flowdash_from_answer_add(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_from_answer_t *from, ngx_str_t *value,
    ngx_http_flowdash_task_t *answer);


ngx_int_t
ngx_http_flowdash_from_answer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_http_flowdash_loc_conf_t     *flcf;
    ngx_http_flowdash_from_answer_t  *from;
    ngx_http_flowdash_json_select_t  *sel;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->from_answer == NULL) {
        return NGX_OK;
    }

    sel = ngx_http_flowdash_from_answer_find(r, ctx, ex, flcf->from_answer);
    if (sel == NULL) {
        return NGX_ERROR;
    }

    from = flcf->from_answer->elts;

    for (i = 0; i < flcf->from_answer->nelts; i++) {

        rc = ngx_http_flowdash_from_answer_check(r, ex, &from[i], &sel[i]);

        if (rc == NGX_OK && sel[i].value.data) {
            rc = ngx_http_flowdash_from_answer_add(r, ctx, ex, &from[i],
                                                   &sel[i].value, answer);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* reads the answer once for all fields; a missing value has no data */

static ngx_http_flowdash_json_select_t *
ngx_http_flowdash_from_answer_find(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *fields)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_from_answer_t  *from;
    ngx_http_flowdash_json_select_t  *sel;

    sel = ngx_pcalloc(r->pool, fields->nelts
                               * sizeof(ngx_http_flowdash_json_select_t));
    if (sel == NULL) {
        return NULL;
    }

    from = fields->elts;

    for (i = 0; i < fields->nelts; i++) {
        sel[i].text = ex->body;
        sel[i].pointer = from[i].pointer;
        sel[i].strict = ctx->conf->strict;
        sel[i].max_size = ctx->conf->max_fields_size;
        sel[i].unique = 1;
    }

    return (ngx_http_flowdash_json_select_all(sel, fields->nelts, r->pool)
            == NGX_OK)
           ? sel : NULL;
}


static ngx_int_t
ngx_http_flowdash_from_answer_check(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_from_answer_t *from,
    ngx_http_flowdash_json_select_t *sel)
{
    if (sel->verdict == NGX_HTTP_FLOWDASH_JSON_OK) {

        if (sel->value.data || !from->required) {
            return NGX_OK;
        }

        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                   "flowdash_set_from_answer %V is required: the answer "
                   "has nothing at %V",
                   &from->name, &from->pointer_text);
    }

    return ngx_http_flowdash_exchange_fail_text(ex,
               sel->verdict == NGX_HTTP_FLOWDASH_JSON_LARGE
               ? NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE
               : NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
               r->pool,
               sel->rule
               ? "flowdash_set_from_answer %V: the answer's body: "
                 "%s (flowdash_strict %s), at byte %uz"
               : "flowdash_set_from_answer %V: the answer's body: "
                 "%s%s, at byte %uz",
               &from->name, sel->error,
               sel->rule ? ngx_http_flowdash_strict_name(sel->rule) : "",
               sel->offset);
}


static ngx_int_t
ngx_http_flowdash_from_answer_add(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_from_answer_t *from, ngx_str_t *value,
    ngx_http_flowdash_task_t *answer)
{
    const char  *error;

    error = NULL;

    if ((ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_CASE)
        && ngx_http_flowdash_task_has_similar(answer, &from->name))
    {
        error = "the answer's task has such a field in another case "
                "(flowdash_strict case)";
    }

    /* Ruby reads half of a pair and the escape after it as one character */

    if ((ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL)
        && ngx_http_flowdash_json_lone_surrogate(value))
    {
        error = "half of a surrogate pair (flowdash_strict control)";
    }

    if (error) {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                   "flowdash_set_from_answer %V: %s", &from->name, error);
    }

    return ngx_http_flowdash_task_force(answer, &from->name, &from->spelling,
                                        value);
}


ngx_int_t
ngx_http_flowdash_from_answer_without(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *what)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_loc_conf_t     *flcf;
    ngx_http_flowdash_from_answer_t  *from;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->from_answer == NULL) {
        return NGX_OK;
    }

    from = flcf->from_answer->elts;

    for (i = 0; i < flcf->from_answer->nelts; i++) {

        if (from[i].required) {
            return ngx_http_flowdash_exchange_fail_text(ex,
                       NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                       "flowdash_set_from_answer %V is required: the "
                       "answer %s", &from[i].name, what);
        }
    }

    return NGX_OK;
}
