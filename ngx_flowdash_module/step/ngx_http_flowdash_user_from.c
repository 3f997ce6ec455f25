
/*
 * Asks the app who the user is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_user_cache.h>
#include <ngx_http_flowdash_merge.h>
#include <ngx_http_flowdash_user.h>
#include <ngx_http_flowdash_user_key.h>
#include <ngx_http_flowdash_user_headers.h>
#include <ngx_http_flowdash_fetch_request.h>
#include <ngx_http_flowdash_user_from.h>


static ngx_int_t ngx_http_flowdash_user_from_cached(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *uri, ngx_str_t *args);
static void ngx_http_flowdash_user_from_forget_captures(
    ngx_http_request_t *r, ngx_http_request_t *sr);
static ngx_int_t ngx_http_flowdash_user_from_refused(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_user_from_read(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text, ngx_array_t *pointer);
static ngx_int_t ngx_http_flowdash_user_from_no_object(
    ngx_http_request_t *r, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_json_t *json);
static ngx_uint_t ngx_http_flowdash_user_from_wants(ngx_http_request_t *r,
    ngx_http_flowdash_field_t *field);
static ngx_int_t ngx_http_flowdash_user_from_member(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_field_t *field);
static ngx_int_t ngx_http_flowdash_user_from_keep(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


ngx_int_t
ngx_http_flowdash_user_from_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_str_t                       uri, args;
    ngx_http_flowdash_exchange_t   *ex;
    ngx_http_flowdash_user_from_t  *from;

    from = ctx->conf->user_from;

    ex = ngx_http_flowdash_fetch_request_create(r, "user");
    if (ex == NULL) {
        return NGX_ERROR;
    }

    ex->user = 1;
    ctx->exchange = ex;

    rc = ngx_http_flowdash_fetch_request_uri(r, ex, &from->from, &uri, &args);

    if (rc == NGX_OK && from->cache) {

        rc = ngx_http_flowdash_user_from_cached(r, ctx, &uri, &args);

        if (rc == NGX_OK) {
            ex->done = 1;
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            rc = NGX_OK;
        }
    }

    if (rc == NGX_DECLINED) {
        ex->done = 1;
        return NGX_OK;
    }

    if (rc != NGX_OK
        || ngx_http_flowdash_fetch_request_start(r, ctx, &uri, &args)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_user_from_forget_captures(r, ex->request);

    return NGX_OK;
}


/* returns NGX_OK with ctx->told set, NGX_DECLINED, or NGX_ERROR */

static ngx_int_t
ngx_http_flowdash_user_from_cached(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *uri, ngx_str_t *args)
{
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_array_t  pointer;

    ctx->user_key = ngx_http_flowdash_user_key(r, ctx, uri, args);
    if (ctx->user_key == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_user_cache_find(r, ctx->user_key,
                                           ctx->conf->user_from->cache,
                                           &text);
    if (rc != NGX_OK) {
        return rc;
    }

    pointer.nelts = 0;

    if (ngx_http_flowdash_user_from_read(r, ctx, &text, &pointer) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash the user is one that was kept");

    ctx->user_cached = 1;

    return NGX_OK;
}


/*
 * A name that the action's location captures would give each task a key of its
 * own.  The page about the user has its own URI.
 */

static void
ngx_http_flowdash_user_from_forget_captures(ngx_http_request_t *r,
    ngx_http_request_t *sr)
{
    ngx_uint_t                  i;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_variable_value_t  *v;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    for (i = 0; i < cmcf->variables.nelts; i++) {

        v = &r->variables[i];

        if (v->valid && v->len
            && sr->variables[i].data == v->data
            && v->data >= r->uri.data
            && v->data < r->uri.data + r->uri.len)
        {
            ngx_memzero(&sr->variables[i], sizeof(ngx_http_variable_value_t));
        }
    }
}


ngx_int_t
ngx_http_flowdash_user_from_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;
    ctx->identified = 1;

    if (ctx->user_cached) {
        return NGX_OK;
    }

    if (ex->request
        && ngx_http_flowdash_user_headers_take(r, ctx, ex) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ex->error == NGX_HTTP_FLOWDASH_STATUS) {
        return ngx_http_flowdash_user_from_refused(r, ctx);
    }

    if (ex->error) {
        return NGX_DECLINED;
    }

    if (ex->content_type.len
        && !ngx_http_flowdash_text_is_json_type(&ex->content_type))
    {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
                   "the answer about the user is not JSON");
    }

    rc = ngx_http_flowdash_user_from_read(r, ctx, &ex->body,
                                       ctx->conf->user_from->from.pointer);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_user_from_keep(r, ctx);
}


/* the app says that nobody is logged in, or that this user must not know */

static ngx_int_t
ngx_http_flowdash_user_from_refused(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    switch (ex->status) {

    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_FORBIDDEN:
        return ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_NO_USER,
                                               "the app refused the user");

    case NGX_HTTP_MOVED_PERMANENTLY:
    case NGX_HTTP_MOVED_TEMPORARILY:
    case NGX_HTTP_SEE_OTHER:
    case NGX_HTTP_TEMPORARY_REDIRECT:
    case NGX_HTTP_PERMANENT_REDIRECT:

        rc = ngx_http_flowdash_user_headers_location(r, ex, &ctx->location);

        if (rc == NGX_OK) {

            /* the detail already tells where it leads */

            ex->error = NGX_HTTP_FLOWDASH_NO_USER;
            return NGX_DECLINED;
        }

        return rc;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_http_flowdash_user_from_read(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text, ngx_array_t *pointer)
{
    ngx_uint_t                         i;
    ngx_http_flowdash_task_t           object;
    ngx_http_flowdash_field_t         *field, room;
    ngx_http_flowdash_exchange_t      *ex;
    ngx_http_flowdash_json_verdict_e   verdict;

    ex = ctx->exchange;

    /* no other parser reads it, so that no two can disagree */

    if (ngx_http_flowdash_task_init(&object, r->pool, text, pointer,
                                    NGX_HTTP_FLOWDASH_STRICT_NONE,
                                    ctx->conf->max_fields_size, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_NO_OBJECT
        || (verdict == NGX_HTTP_FLOWDASH_JSON_OK
            && object.json.object.data == NULL))
    {
        return ngx_http_flowdash_user_from_no_object(r, ex, &object.json);
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        return ngx_http_flowdash_merge_invalid(r, ex, &object.json, verdict);
    }

    ctx->told = ngx_array_create(r->pool, 4,
                                 sizeof(ngx_http_flowdash_member_t));
    if (ctx->told == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; (field = ngx_http_flowdash_task_get(&object, i, &room)); i++) {

        if (ngx_http_flowdash_user_from_wants(r, field)
            && ngx_http_flowdash_user_from_member(r, ctx, field) != NGX_OK)
        {
            return ex->error ? NGX_DECLINED : NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* null in place of the object: the app's way to say that nobody is there */

static ngx_int_t
ngx_http_flowdash_user_from_no_object(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_json_t *json)
{
    size_t  end;

    end = json->offset;

    if (json->error && end >= 4 && end <= json->text.len
        && ngx_strncmp(json->text.data + end - 4, "null", 4) == 0)
    {
        return ngx_http_flowdash_exchange_fail(ex, NGX_HTTP_FLOWDASH_NO_USER,
                                               "the app says that there is no "
                                               "user");
    }

    return ngx_http_flowdash_exchange_fail(ex,
               NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
               "the answer has no object where the user should be");
}


/*
 * The page may have much more, such as keys of the app's API.  Only what is
 * sent or asked for is read, and kept.
 */

static ngx_uint_t
ngx_http_flowdash_user_from_wants(ngx_http_request_t *r,
    ngx_http_flowdash_field_t *field)
{
    ngx_str_t                      *name, *wanted;
    ngx_uint_t                      i;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    name = &field->name;

    if (ngx_http_flowdash_user_is_field(name)) {
        return 1;
    }

    wanted = fmcf->user_names.elts;

    for (i = 0; i < fmcf->user_names.nelts; i++) {
        if (ngx_http_flowdash_text_is_variable(name, &wanted[i])) {
            return 1;
        }
    }

    return 0;
}


/* null, an object or an array is as good as missing */

static ngx_int_t
ngx_http_flowdash_user_from_member(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_field_t *field)
{
    ngx_int_t                    rc;
    ngx_str_t                   *value;
    ngx_http_flowdash_member_t  *member;

    value = &field->value;

    if (value->data[0] == '{' || value->data[0] == '['
        || value->data[0] == 'n')
    {
        return NGX_OK;
    }

    if (value->data[0] == '"'
        && ngx_http_flowdash_json_lone_surrogate(value))
    {
        return ngx_http_flowdash_exchange_fail_text(ctx->exchange,
                   NGX_HTTP_FLOWDASH_RESPONSE_INVALID, r->pool,
                   "half of a surrogate pair in the user's \"%V\"",
                   &field->name);
    }

    member = ngx_array_push(ctx->told);
    if (member == NULL) {
        return NGX_ERROR;
    }

    member->name = field->name;
    member->value = *value;
    member->json = 1;

    rc = ngx_http_flowdash_json_decode(value, &member->value, r->pool);

    if (rc == NGX_OK) {
        member->json = 0;
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* an answer with a cookie is for this client, and for this time, only */

static ngx_int_t
ngx_http_flowdash_user_from_keep(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char                        *last;
    ngx_str_t                      text;
    ngx_uint_t                     i;
    ngx_http_flowdash_member_t    *member;
    ngx_http_flowdash_exchange_t  *ex;

    ex = ctx->exchange;

    if (ctx->user_key == NULL || ctx->user_headers
        || ex->status != NGX_HTTP_OK)
    {
        return NGX_OK;
    }

    member = ctx->told->elts;

    for (i = 0; i < ctx->told->nelts; i++) {
        if (ngx_http_flowdash_text_is(&member[i].name, "id")
            && ngx_http_flowdash_user_is_id(&member[i]))
        {
            break;
        }
    }

    if (i == ctx->told->nelts) {
        return NGX_OK;
    }

    text.data = ngx_pnalloc(r->pool, ngx_http_flowdash_user_length(ctx->told));
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_http_flowdash_user_write(text.data, ctx->told);
    text.len = last - text.data;

    ngx_http_flowdash_user_cache_store(r, ctx->user_key, &text);

    return NGX_OK;
}
