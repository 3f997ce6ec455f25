
/*
 * The variables $flowdash_json_NAME: the task, the user, a field, or any other
 * variable of the module as a complete JSON value.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_embed.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_task_told.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_early.h>
#include <ngx_http_flowdash_told.h>
#include <ngx_http_flowdash_variables.h>
#include <ngx_http_flowdash_user.h>
#include <ngx_http_flowdash_variables_json.h>


static ngx_uint_t ngx_http_flowdash_variables_json_is_defined(
    ngx_http_core_main_conf_t *cmcf, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_variables_json_begins(ngx_str_t *name,
    ngx_str_t *prefix);
static ngx_int_t ngx_http_flowdash_variables_json_plain(ngx_pool_t *pool,
    ngx_str_t *name, ngx_str_t *plain);
static ngx_int_t ngx_http_flowdash_variables_json(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_flowdash_variables_json_task(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *json);
static ngx_int_t ngx_http_flowdash_variables_json_field(ngx_http_request_t *r,
    ngx_http_flowdash_field_t *field, ngx_str_t *json);
static ngx_int_t ngx_http_flowdash_variables_json_value(ngx_pool_t *pool,
    ngx_str_t *value, ngx_str_t *json);
static ngx_int_t ngx_http_flowdash_variables_json_user(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *json);
static ngx_int_t ngx_http_flowdash_variables_json_string(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_str_t *name,
    ngx_str_t *json);
static size_t ngx_http_flowdash_variables_json_quote(u_char *dst,
    ngx_str_t *text);


static ngx_str_t  ngx_http_flowdash_variables_json_prefix =
    ngx_string("flowdash_json_");

static ngx_str_t  ngx_http_flowdash_variables_json_fields =
    ngx_string("task_");

static ngx_str_t  ngx_http_flowdash_variables_json_stored =
    ngx_string("stored_");


ngx_int_t
ngx_http_flowdash_variables_json_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_http_flowdash_variables_json_prefix,
                                NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_flowdash_variables_json;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_variables_json_check(ngx_conf_t *cf)
{
    ngx_int_t                   rc;
    ngx_str_t                   name, plain;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        name = v[i].name;

        if (!ngx_http_flowdash_variables_json_begins(&name,
                                    &ngx_http_flowdash_variables_json_prefix)
            || ngx_http_flowdash_variables_json_is_defined(cmcf, &name))
        {
            continue;
        }

        rc = ngx_http_flowdash_variables_json_plain(cf->pool, &name, &plain);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK
            && ngx_http_flowdash_variables_find(&plain) == NULL)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown \"%V\" variable: there is no \"$%V\"",
                          &name, &plain);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* whether a "map" or the like makes a variable of this name */

static ngx_uint_t
ngx_http_flowdash_variables_json_is_defined(ngx_http_core_main_conf_t *cmcf,
    ngx_str_t *name)
{
    ngx_uint_t       i;
    ngx_hash_key_t  *key;

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (ngx_http_flowdash_text_equal(&key[i].key, name)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_variables_json_begins(ngx_str_t *name, ngx_str_t *prefix)
{
    return name->len >= prefix->len
           && ngx_strncmp(name->data, prefix->data, prefix->len) == 0;
}


/*
 * The name of the variable of which "name" is the JSON.  Returns NGX_OK,
 * NGX_DECLINED if there is none, as for the task and the user, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_variables_json_plain(ngx_pool_t *pool, ngx_str_t *name,
    ngx_str_t *plain)
{
    u_char     *p;
    ngx_str_t   rest;

    rest.len = name->len - ngx_http_flowdash_variables_json_prefix.len;
    rest.data = name->data + ngx_http_flowdash_variables_json_prefix.len;

    if (ngx_http_flowdash_text_is(&rest, "task")
        || ngx_http_flowdash_text_is(&rest, "user")
        || ngx_http_flowdash_text_is(&rest, "errors"))
    {
        return NGX_DECLINED;
    }

    plain->len = sizeof("flowdash_") - 1 + rest.len;

    plain->data = ngx_pnalloc(pool, plain->len);
    if (plain->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(plain->data, "flowdash_", sizeof("flowdash_") - 1);
    ngx_memcpy(p, rest.data, rest.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variables_json(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_int_t                   rc;
    ngx_str_t                   rest, json;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_field_t   room;

    rest.len = name->len - ngx_http_flowdash_variables_json_prefix.len;
    rest.data = name->data + ngx_http_flowdash_variables_json_prefix.len;

    ngx_str_set(&json, "null");

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx == NULL) {
        ngx_http_flowdash_early_note(r);

        if (ngx_http_flowdash_text_is(&rest, "task")
            || ngx_http_flowdash_variables_json_begins(&rest,
                                     &ngx_http_flowdash_variables_json_fields)
            || ngx_http_flowdash_variables_json_begins(&rest,
                                     &ngx_http_flowdash_variables_json_stored))
        {
            ngx_http_flowdash_variables_too_early(r, name,
                                                  "the task has been read");
        }

        rc = NGX_OK;

    } else if (ngx_http_flowdash_text_is(&rest, "errors")) {
        rc = ctx->errors
             ? ngx_http_flowdash_variables_json_value(r->pool,
                                                      &ctx->errors_json, &json)
             : NGX_OK;

    } else if (ngx_http_flowdash_text_is(&rest, "user")) {
        rc = ngx_http_flowdash_variables_json_user(r, ctx, &json);

    } else if (ngx_http_flowdash_text_is(&rest, "task")) {
        rc = ngx_http_flowdash_variables_json_task(r, ctx, &json);

    } else if (ngx_http_flowdash_variables_json_begins(&rest,
                                     &ngx_http_flowdash_variables_json_fields))
    {
        rest.len -= ngx_http_flowdash_variables_json_fields.len;
        rest.data += ngx_http_flowdash_variables_json_fields.len;

        rc = ngx_http_flowdash_variables_json_field(r,
                   ngx_http_flowdash_variables_field(r, ctx, &rest, &room),
                   &json);

    } else if (ngx_http_flowdash_variables_json_begins(&rest,
                                     &ngx_http_flowdash_variables_json_stored))
    {
        rest.len -= ngx_http_flowdash_variables_json_stored.len;
        rest.data += ngx_http_flowdash_variables_json_stored.len;

        rc = ngx_http_flowdash_variables_json_field(r,
                   ngx_http_flowdash_variables_stored(r, ctx, &rest, &room),
                   &json);

    } else {
        rc = ngx_http_flowdash_variables_json_string(r, ctx, name, &json);
    }

    if (rc != NGX_OK) {
        if (ctx->evaluation) {
            ctx->evaluation->failed = 1;
        }

        return NGX_ERROR;
    }

    v->len = json.len;
    v->data = json.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variables_json_task(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *json)
{
    ngx_int_t  rc;
    ngx_str_t  object;

    if (ctx->evaluation) {
        ctx->evaluation->read = 1;
    }

    if (ctx->task == NULL) {
        if (ctx->evaluation) {
            ctx->evaluation->value->ambiguous = 1;
        }

        return NGX_OK;
    }

    ngx_http_flowdash_told_mark(ngx_http_flowdash_told_conf(r, ctx),
                                ctx->task);

    if (ngx_http_flowdash_task_write_flat(ngx_http_flowdash_task_write_told,
                                          ctx->task, r->pool, &object)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_variables_json_value(r->pool, &object, json);

    (void) ngx_pfree(r->pool, object.data);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_variables_json_field(ngx_http_request_t *r,
    ngx_http_flowdash_field_t *field, ngx_str_t *json)
{
    return field ? ngx_http_flowdash_variables_json_value(r->pool,
                                                          &field->value, json)
                 : NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_variables_json_value(ngx_pool_t *pool, ngx_str_t *value,
    ngx_str_t *json)
{
    json->len = ngx_http_flowdash_json_embed_value(NULL, value);

    json->data = ngx_pnalloc(pool, json->len);
    if (json->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_http_flowdash_json_embed_value(json->data, value);

    return NGX_OK;
}


/* the values of flowdash_user may depend on this variable: it is null there */

static ngx_int_t
ngx_http_flowdash_variables_json_user(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *json)
{
    ngx_str_t                        object;
    ngx_array_t                     *user;
    ngx_http_flowdash_user_t         room;
    ngx_http_flowdash_exchange_t     ex;
    ngx_http_flowdash_loc_conf_t    *flcf;
    ngx_http_flowdash_evaluation_t  *ev;

    ev = ctx->evaluation;

    if (ev) {
        ev->read = 1;
    }

    /* without memory for an action, there is no location */

    if (ctx->user || ctx->conf == NULL) {
        return NGX_OK;
    }

    flcf = ngx_http_flowdash_told_conf(r, ctx);

    if (flcf == NULL) {
        flcf = ctx->conf;
    }

    ngx_memzero(&ex, sizeof(ngx_http_flowdash_exchange_t));

    ctx->user = 1;
    user = ngx_http_flowdash_user(r->main, &ex, flcf, &room);

    if (user == NULL && ex.error) {

        /* a value is not UTF-8, and left out */

        user = ngx_http_flowdash_user(r->main, NULL, flcf, &room);
    }

    ctx->user = 0;

    if (user == NULL) {
        return NGX_ERROR;
    }

    if (ev) {
        ev->value->invalid |= (ex.error != NGX_HTTP_FLOWDASH_OK);
        ev->value->early |= ctx->conf->user_from && !ctx->identified;
    }

    object.data = ngx_pnalloc(r->pool, ngx_http_flowdash_user_length(user));
    if (object.data == NULL) {
        return NGX_ERROR;
    }

    object.len = ngx_http_flowdash_user_write(object.data, user)
                 - object.data;

    return ngx_http_flowdash_variables_json_value(r->pool, &object, json);
}


/* any other variable of the module is a string */

static ngx_int_t
ngx_http_flowdash_variables_json_string(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *name, ngx_str_t *json)
{
    ngx_int_t                        rc;
    ngx_str_t                       *plain, text;
    ngx_http_variable_t             *variable;
    ngx_http_variable_value_t        v;
    ngx_http_flowdash_value_t        unused;
    ngx_http_flowdash_evaluation_t  *outer, ev;

    /* the handler of a prefix may keep a pointer to the name */

    plain = ngx_palloc(r->pool, sizeof(ngx_str_t));

    if (plain == NULL
        || ngx_http_flowdash_variables_json_plain(r->pool, name, plain)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    variable = ngx_http_flowdash_variables_find(plain);

    if (variable == NULL) {
        return NGX_OK;
    }

    outer = ctx->evaluation;

    if (outer) {
        ev = *outer;

    } else {
        ngx_memzero(&ev, sizeof(ngx_http_flowdash_evaluation_t));
        ngx_memzero(&unused, sizeof(ngx_http_flowdash_value_t));
        ev.value = &unused;
        ev.conf = ngx_http_flowdash_told_conf(r, ctx);
    }

    /* JSON escapes the control characters itself */

    ev.raw = 1;

    ngx_memzero(&v, sizeof(ngx_http_variable_value_t));

    ctx->evaluation = &ev;
    rc = variable->get_handler(r, &v,
                               (variable->flags & NGX_HTTP_VAR_PREFIX)
                               ? (uintptr_t) plain : variable->data);
    ctx->evaluation = outer;

    if (outer) {
        outer->read = ev.read;
        outer->failed = ev.failed;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (v.not_found || v.len == 0) {
        return NGX_OK;
    }

    text.len = v.len;
    text.data = v.data;

    if (outer && ngx_http_flowdash_text_check_utf8(&text)) {
        outer->value->invalid = 1;
    }

    json->len = ngx_http_flowdash_variables_json_quote(NULL, &text);

    json->data = ngx_pnalloc(r->pool, json->len);
    if (json->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_http_flowdash_variables_json_quote(json->data, &text);

    return NGX_OK;
}


/* returns the length; with "dst" NULL, nothing is written */

static size_t
ngx_http_flowdash_variables_json_quote(u_char *dst, ngx_str_t *text)
{
    size_t  len;

    if (text->len == 0) {

        if (dst) {
            ngx_memcpy(dst, "null", sizeof("null") - 1);
        }

        return sizeof("null") - 1;
    }

    len = ngx_http_flowdash_json_embed_text(dst ? dst + 1 : NULL, text);

    if (dst) {
        dst[0] = '"';
        dst[len + 1] = '"';
    }

    return len + 2;
}
