
/*
 * How endpoints recognize an execution and its calls: by the id, which is the
 * same again if the client repeats its Idempotency-Key, by the trace, and by
 * signatures.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_sign.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_user.h>
#include <ngx_http_flowdash_headers.h>
#include <ngx_http_flowdash_task_digest.h>
#include <ngx_http_flowdash_identity.h>


#define NGX_HTTP_FLOWDASH_TRACEPARENT_LEN                                     \
    (sizeof("00-") - 1 + 32 + sizeof("-") - 1 + 16 + sizeof("-00") - 1)


/* what the client sent; a key or traceparent that is given twice is ignored */

typedef struct {
    ngx_str_t                       key;
    ngx_str_t                       traceparent;
    ngx_str_t                       tracestate;
    ngx_uint_t                      keys;
    ngx_uint_t                      traceparents;
} ngx_http_flowdash_identity_t;


static ngx_int_t ngx_http_flowdash_identity_headers(ngx_http_request_t *r,
    ngx_http_flowdash_identity_t *identity);
static ngx_int_t ngx_http_flowdash_identity_add_state(ngx_http_request_t *r,
    ngx_str_t *state, ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_identity_trace(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_identity_t *identity);
static ngx_int_t ngx_http_flowdash_identity_derive(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *key);
static ngx_int_t ngx_http_flowdash_identity_digest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *key, ngx_array_t *user,
    u_char *hex);
static ngx_int_t ngx_http_flowdash_identity_signature(ngx_pool_t *pool,
    ngx_http_flowdash_exchange_t *ex, ngx_array_t *keys, ngx_array_t *headers);
static ngx_int_t ngx_http_flowdash_identity_add(ngx_array_t *headers,
    ngx_http_flowdash_loc_conf_t *flcf, const char *name, ngx_str_t *value);


ngx_int_t
ngx_http_flowdash_identity(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_str_t                       key;
    ngx_http_flowdash_identity_t    identity;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    /* flowdash_set and answers will change the task */

    if ((ctx->conf->once || fmcf->task_digest)
        && ngx_http_flowdash_task_digest(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_identity_headers(r, &identity) != NGX_OK
        || ngx_http_flowdash_identity_trace(r, ctx, &identity) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /*
     * A late undo must not meet the repetition of what it undoes: in a whole
     * action, each execution has an id of its own.
     */

    if (identity.keys == 0 || ctx->conf->whole) {
        return NGX_OK;
    }

    rc = (identity.keys == 1)
         ? ngx_http_flowdash_id_key(&identity.key, &key, r->pool)
         : NGX_DECLINED;

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "flowdash: the client's Idempotency-Key is ignored, "
                      "because it is invalid");
        return NGX_OK;
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_identity_derive(r, ctx, &key)
                          : NGX_ERROR;
}


static ngx_int_t
ngx_http_flowdash_identity_headers(ngx_http_request_t *r,
    ngx_http_flowdash_identity_t *identity)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(identity, sizeof(ngx_http_flowdash_identity_t));

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_text_is(&h->key, "Idempotency-Key")) {
            identity->keys++;
            identity->key = h->value;

        } else if (ngx_http_flowdash_text_is(&h->key, "traceparent")) {
            identity->traceparents++;
            identity->traceparent = h->value;

        } else if (ngx_http_flowdash_text_is(&h->key, "tracestate")
                   && ngx_http_flowdash_identity_add_state(r,
                                           &identity->tracestate, &h->value)
                      != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the list may be spread over several headers */

static ngx_int_t
ngx_http_flowdash_identity_add_state(ngx_http_request_t *r, ngx_str_t *state,
    ngx_str_t *value)
{
    u_char     *p;
    ngx_str_t   joined;

    if (state->len == 0) {
        *state = *value;
        return NGX_OK;
    }

    joined.len = state->len + sizeof(", ") - 1 + value->len;

    joined.data = ngx_pnalloc(r->pool, joined.len);
    if (joined.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(joined.data, state->data, state->len);
    p = ngx_cpymem(p, ", ", sizeof(", ") - 1);
    ngx_memcpy(p, value->data, value->len);

    *state = joined;

    return NGX_OK;
}


/* the app gets the client's traceparent, or else one of the new trace */

static ngx_int_t
ngx_http_flowdash_identity_trace(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_identity_t *identity)
{
    u_char  *p;

    if (identity->traceparents == 1
        && ngx_http_flowdash_id_trace_parse(&identity->traceparent,
                                            &ctx->trace)
           == NGX_OK)
    {
        if (ngx_http_flowdash_text_find(&identity->tracestate,
                                        NGX_HTTP_FLOWDASH_TEXT_NO_HEADER
                                        |NGX_HTTP_FLOWDASH_TEXT_HIGH)
            == NULL)
        {
            ctx->tracestate = identity->tracestate;
        }

        ctx->traceparent = identity->traceparent;

        return NGX_OK;
    }

    if (ngx_http_flowdash_id_trace_begin(&ctx->trace) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_FLOWDASH_TRACEPARENT_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_id_traceparent(p, &ctx->trace) == NULL) {
        return NGX_ERROR;
    }

    ctx->traceparent.data = p;
    ctx->traceparent.len = NGX_HTTP_FLOWDASH_TRACEPARENT_LEN;
    ctx->own_trace = 1;

    return NGX_OK;
}


/*
 * A user who repeats the whole action gets the same id.  Two users never get
 * the same: if it is not known who the user is, each execution has its own.
 * Nor do two tasks: an endpoint may say yes to an id that it knows.
 */

static ngx_int_t
ngx_http_flowdash_identity_derive(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *key)
{
    u_char                      *hex;
    ngx_array_t                 *user;
    ngx_http_flowdash_user_t     room;
    ngx_http_flowdash_member_t  *member;

    user = ngx_http_flowdash_user(r, NULL, ctx->conf, &room);
    if (user == NULL) {
        return NGX_ERROR;
    }

    member = user->elts;

    /* the first member is the id */

    if (member[0].value.len == 0) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "flowdash: the client's Idempotency-Key is ignored, "
                      "because the user has no id");
        return NGX_OK;
    }

    hex = ngx_pnalloc(r->pool, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);
    if (hex == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_identity_digest(r, ctx, key, user, hex) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->id.data = hex;
    ctx->id.len = NGX_HTTP_FLOWDASH_ID_DIGEST_LEN;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash id of the client's key: %V", &ctx->id);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_identity_digest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *key, ngx_array_t *user,
    u_char *hex)
{
    ngx_uint_t                       i;
    ngx_http_flowdash_slices_t       task;
    ngx_http_flowdash_member_t      *member;
    ngx_http_flowdash_id_digest_t    digest;

    if (ngx_http_flowdash_task_digest_slices(r, ctx, &task) != NGX_OK
        || ngx_http_flowdash_id_digest_init(&digest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_id_digest_add(&digest, key);
    ngx_http_flowdash_id_digest_add(&digest, &r->headers_in.server);
    ngx_http_flowdash_id_digest_add(&digest, &r->method_name);
    ngx_http_flowdash_id_digest_add(&digest, &r->unparsed_uri);
    ngx_http_flowdash_id_digest_add(&digest, &ctx->action);

    member = user->elts;

    for (i = 0; i < user->nelts; i++) {
        ngx_http_flowdash_id_digest_add(&digest, &member[i].name);
        ngx_http_flowdash_id_digest_add(&digest, &member[i].value);
    }

    ngx_http_flowdash_id_digest_add_slices(&digest, &task);

    ngx_http_flowdash_slices_free(&task, r->pool);

    return ngx_http_flowdash_id_digest_final(&digest, hex);
}


ngx_int_t
ngx_http_flowdash_identity_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *headers)
{
    u_char                        *p;
    ngx_str_t                      value;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    /* a string of RFC 8941: the quotes are part of the header's value */

    value.len = sizeof("\"-\"") - 1 + ctx->id.len
                + NGX_HTTP_FLOWDASH_ID_STEP_LEN;

    p = ngx_pnalloc(r->pool, value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    ex->id.data = p + 1;
    ex->id.len = value.len - 2;

    *p++ = '"';
    p = ngx_cpymem(p, ctx->id.data, ctx->id.len);
    *p++ = '-';
    p = ngx_cpymem(p, ex->step->id, NGX_HTTP_FLOWDASH_ID_STEP_LEN);
    *p = '"';

    if (ngx_http_flowdash_identity_add(headers, flcf, "Idempotency-Key",
                                       &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->tracestate.len == 0) {
        return NGX_OK;
    }

    return ngx_http_flowdash_identity_add(headers, flcf, "tracestate",
                                          &ctx->tracestate);
}


ngx_int_t
ngx_http_flowdash_identity_call(ngx_pool_t *pool,
    ngx_http_flowdash_id_trace_t *trace, ngx_http_flowdash_exchange_t *ex,
    ngx_array_t *headers)
{
    u_char                        *p;
    ngx_str_t                      value;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    value.data = ngx_pnalloc(pool, NGX_HTTP_FLOWDASH_TRACEPARENT_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_http_flowdash_id_traceparent(value.data, trace);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.len = p - value.data;

    if (ngx_http_flowdash_identity_add(headers, flcf, "traceparent", &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (flcf->sign_keys == NULL) {
        return NGX_OK;
    }

    return ngx_http_flowdash_identity_signature(pool, ex, flcf->sign_keys,
                                                headers);
}


/* Standard Webhooks 1.0.0 */

static ngx_int_t
ngx_http_flowdash_identity_signature(ngx_pool_t *pool,
    ngx_http_flowdash_exchange_t *ex, ngx_array_t *keys, ngx_array_t *headers)
{
    ngx_uint_t     i;
    ngx_str_t      timestamp;
    ngx_keyval_t  *header;

    static ngx_str_t  names[] = {
        ngx_string("webhook-id"),
        ngx_string("webhook-timestamp"),
        ngx_string("webhook-signature")
    };

    timestamp.data = ngx_pnalloc(pool, NGX_TIME_T_LEN);
    header = ngx_array_push_n(headers, 3);

    if (timestamp.data == NULL || header == NULL) {
        return NGX_ERROR;
    }

    timestamp.len = ngx_sprintf(timestamp.data, "%T", ngx_time())
                    - timestamp.data;

    for (i = 0; i < 3; i++) {
        header[i].key = names[i];
    }

    header[0].value = ex->id;
    header[1].value = timestamp;

    return ngx_http_flowdash_sign(keys, &ex->id, &timestamp, &ex->payload,
                                  &header[2].value, pool);
}


/* unless flowdash_set_header sets the header, even to an empty value */

static ngx_int_t
ngx_http_flowdash_identity_add(ngx_array_t *headers,
    ngx_http_flowdash_loc_conf_t *flcf, const char *name, ngx_str_t *value)
{
    ngx_str_t      key;
    ngx_keyval_t  *header;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    if (ngx_http_flowdash_headers_is_set(flcf, &key)) {
        return NGX_OK;
    }

    header = ngx_array_push(headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    header->key = key;
    header->value = *value;

    return NGX_OK;
}
