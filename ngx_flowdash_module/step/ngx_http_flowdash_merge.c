
/*
 * Merges the fields of a step's answer into the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_json_select.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_log.h>
#include <ngx_http_flowdash_count.h>
#include <ngx_http_flowdash_from_answer.h>
#include <ngx_http_flowdash_merge.h>


static ngx_int_t ngx_http_flowdash_merge_foreign(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer);
static ngx_int_t ngx_http_flowdash_merge_task(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer);
static ngx_uint_t ngx_http_flowdash_merge_is_empty(
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_merge_nothing(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t object, const char *what);
static ngx_int_t ngx_http_flowdash_merge_fields(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer);
static ngx_uint_t ngx_http_flowdash_merge_accepts(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name);
static void ngx_http_flowdash_merge_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_field_t *new);


ngx_int_t
ngx_http_flowdash_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_flowdash_task_t      *answer;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (ngx_http_flowdash_merge_is_empty(ex)) {
        return ngx_http_flowdash_from_answer_without(r, ex, "is empty");
    }

    if (ex->content_type.len
        && !ngx_http_flowdash_text_is_json_type(&ex->content_type))
    {
        return ngx_http_flowdash_merge_nothing(r, ctx, ex, 0,
                                               "has a media type other than "
                                               "JSON");
    }

    answer = ngx_palloc(r->pool, sizeof(ngx_http_flowdash_task_t));
    if (answer == NULL) {
        return NGX_ERROR;
    }

    return flcf->foreign ? ngx_http_flowdash_merge_foreign(r, ctx, ex, answer)
                         : ngx_http_flowdash_merge_task(r, ctx, ex, answer);
}


/* the answer of an endpoint that knows nothing of tasks */

static ngx_int_t
ngx_http_flowdash_merge_foreign(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer)
{
    ngx_int_t                         rc;
    ngx_array_t                       pointer;
    ngx_http_flowdash_loc_conf_t     *flcf;
    ngx_http_flowdash_json_select_t   sel;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->from_answer == NULL && !flcf->require_json) {
        return NGX_OK;
    }

    /* the whole text */

    pointer.elts = NULL;
    pointer.nelts = 0;

    ngx_memzero(&sel, sizeof(ngx_http_flowdash_json_select_t));

    sel.text = ex->body;
    sel.pointer = &pointer;
    sel.max_size = ctx->conf->max_fields_size;

    if (ngx_http_flowdash_json_select(&sel, r->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_task_create(answer, r->pool);

    if (sel.verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
        && ex->content_type.len == 0)
    {
        return ngx_http_flowdash_merge_nothing(r, ctx, ex, 0, "is not JSON");
    }

    if (sel.verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        answer->json.error = sel.error;
        answer->json.offset = sel.offset;

        return ngx_http_flowdash_merge_invalid(r, ex, &answer->json,
                                               sel.verdict);
    }

    if (flcf->require_json && sel.value.data[0] != '{') {
        return ngx_http_flowdash_merge_nothing(r, ctx, ex, 0,
                                               "is JSON, but not an object");
    }

    rc = ngx_http_flowdash_from_answer(r, ctx, ex, answer);

    return (rc == NGX_OK) ? ngx_http_flowdash_merge_fields(r, ctx, ex, answer)
                          : rc;
}


static ngx_int_t
ngx_http_flowdash_merge_task(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer)
{
    ngx_int_t                          rc;
    ngx_str_t                          token;
    ngx_uint_t                         object;
    ngx_array_t                        pointer;
    ngx_http_flowdash_loc_conf_t      *flcf;
    ngx_http_flowdash_json_verdict_e   verdict;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    ngx_str_set(&token, "task");

    pointer.elts = &token;
    pointer.nelts = 1;

    if (ngx_http_flowdash_task_init(answer, r->pool, &ex->body, &pointer,
                                    ctx->conf->strict,
                                    ctx->conf->max_fields_size, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_OK) {

        object = (answer->json.object.data != NULL);

        rc = ngx_http_flowdash_from_answer(r, ctx, ex, answer);

        if (rc != NGX_OK) {
            return rc;
        }

        if (object || flcf->from_answer) {
            return ngx_http_flowdash_merge_fields(r, ctx, ex, answer);
        }

        /* "{}" has nothing that could be overlooked */

        return answer->json.empty
               ? NGX_OK
               : ngx_http_flowdash_merge_nothing(r, ctx, ex, 1,
                                              "is an object without \"task\"");
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_NO_OBJECT && !answer->json.map) {
        return ngx_http_flowdash_merge_nothing(r, ctx, ex, 0,
                                               "is JSON, but not an object");
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED
        && ex->content_type.len == 0)
    {
        /* it did not claim to be JSON */

        return ngx_http_flowdash_merge_nothing(r, ctx, ex, 0, "is not JSON");
    }

    return ngx_http_flowdash_merge_invalid(r, ex, &answer->json, verdict);
}


/* nothing, or white space only */

static ngx_uint_t
ngx_http_flowdash_merge_is_empty(ngx_http_flowdash_exchange_t *ex)
{
    size_t  i;

    for (i = 0; i < ex->body.len; i++) {

        switch (ex->body.data[i]) {

        case ' ':
        case '\t':
        case CR:
        case LF:
            continue;

        default:
            return 0;
        }
    }

    return 1;
}


/*
 * An answer in which there is no task, "object" if it is an object at least:
 * it is counted and changes nothing, or fails the step.  An endpoint that may
 * not change anything does not have to send a task.
 */

static ngx_int_t
ngx_http_flowdash_merge_nothing(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_uint_t object, const char *what)
{
    ngx_uint_t                     due, level;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->require_json && !object) {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                   ex->content_type.len
                   ? "flowdash_require_json: the answer %s, %V"
                   : "flowdash_require_json: the answer %s",
                   what, &ex->content_type);
    }

    if (!object
        && ngx_http_flowdash_from_answer_without(r, ex, what) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (flcf->foreign) {
        return NGX_OK;
    }

    ex->ignored = 1;

    /* where the configuration names fields, they are missed */

    level = flcf->accept ? NGX_LOG_ERR : NGX_LOG_WARN;

    due = ngx_http_flowdash_count_ignored(ctx, ex, r->connection->log, level);

    if (due && (flcf->accept == NULL || flcf->accept->nelts)) {
        ngx_http_flowdash_log_ignored(r, ctx, ex, level, what);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_merge_invalid(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e verdict)
{
    return ngx_http_flowdash_exchange_fail_text(ex,
               verdict == NGX_HTTP_FLOWDASH_JSON_LARGE
               ? NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE
               : NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
               r->pool,
               json->rule
               ? "the answer's body: %s (flowdash_strict %s), at byte %uz"
               : "the answer's body: %s%s, at byte %uz",
               json->error,
               json->rule ? ngx_http_flowdash_strict_name(json->rule) : "",
               json->offset);
}


/*
 * Sets the fields that this step may change: all of them, or none if one is
 * invalid.
 */

static ngx_int_t
ngx_http_flowdash_merge_fields(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_task_t *answer)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    const char                    *error;
    ngx_http_flowdash_field_t     *new, room;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if ((ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
        && ngx_http_flowdash_task_has_conflict(answer))
    {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
                   "the answer has a field and a part of it, as Rails reads "
                   "due_date(1i) (flowdash_strict meaning)");
    }

    ngx_http_flowdash_source_begin(ctx);

    for (i = 0; (new = ngx_http_flowdash_task_get(answer, i, &room)); i++) {

        if (!new->forced
            && !ngx_http_flowdash_merge_accepts(flcf, &new->name))
        {
            ngx_http_flowdash_merge_ignored(r, ctx, ex, new);
            continue;
        }

        rc = ngx_http_flowdash_source_check(ctx, new, &error);

        if (rc == NGX_DECLINED) {
            ngx_http_flowdash_source_cancel(ctx);

            return ngx_http_flowdash_exchange_fail_text(ex,
                       NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                       "the answer's field %V: %s", &new->spelling, error);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        ngx_http_flowdash_field_mark(&answer->index, i, rc == NGX_OK);
    }

    return ngx_http_flowdash_source_commit(ctx, answer);
}


static ngx_uint_t
ngx_http_flowdash_merge_accepts(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *name)
{
    ngx_str_t   *field;
    ngx_uint_t   i;

    if (flcf->accept == NULL) {
        return !ngx_http_flowdash_told_hides(flcf, name);
    }

    field = flcf->accept->elts;

    for (i = 0; i < flcf->accept->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&field[i], name)) {
            return 1;
        }
    }

    return 0;
}


/*
 * An endpoint that sends such a field sends it in each answer: once per action
 * is enough.  Where the configuration names fields, one that is spelled in
 * another way is missed, as those of an answer that is ignored are.
 */

static void
ngx_http_flowdash_merge_ignored(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_field_t *new)
{
    ngx_http_flowdash_field_t     *field, room;
    ngx_http_flowdash_loc_conf_t  *flcf;

    field = ngx_http_flowdash_task_lookup(ctx->task, &new->name, &room);

    if (field && ngx_http_flowdash_task_same(field, new)) {
        return;
    }

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->accept && flcf->accept->nelts
        && ngx_http_flowdash_count_dropped(ctx, ex, r->connection->log))
    {
        ngx_http_flowdash_log_dropped(r, ctx, ex, NGX_LOG_ERR, &new->spelling);

    } else if (!ctx->warned) {
        ngx_http_flowdash_log_dropped(r, ctx, ex, NGX_LOG_WARN,
                                      &new->spelling);
    }

    ctx->warned = 1;
}
