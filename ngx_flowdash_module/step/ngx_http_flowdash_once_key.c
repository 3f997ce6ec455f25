
/*
 * The key of flowdash_once: what makes two requests the same.  A response is
 * shown to nobody but the user whose request it was.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_user.h>
#include <ngx_http_flowdash_task_digest.h>
#include <ngx_http_flowdash_once_key.h>


static ngx_int_t ngx_http_flowdash_once_key_no_user(ngx_http_request_t *r,
    ngx_str_t *text, ngx_http_flowdash_once_result_e *result);
static ngx_uint_t ngx_http_flowdash_once_key_is_clients(
    ngx_http_request_t *r, ngx_str_t *text);
static ngx_uint_t ngx_http_flowdash_once_key_has(ngx_str_t *text,
    ngx_str_t *part);
static ngx_int_t ngx_http_flowdash_once_key_server(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest);
static ngx_int_t ngx_http_flowdash_once_key_digest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_array_t *user, ngx_str_t *text,
    u_char *request, u_char *hex);
static ngx_int_t ngx_http_flowdash_once_key_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, u_char *hex);


ngx_int_t
ngx_http_flowdash_once_key(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *text, u_char *key,
    u_char *request, ngx_http_flowdash_once_result_e *result)
{
    ngx_array_t                *user;
    ngx_http_flowdash_user_t    room;
    ngx_http_flowdash_value_t   value;

    if (ngx_http_flowdash_value_raw(r, &ctx->conf->once->key, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    *text = value.text;

    if (value.ambiguous) {
        *result = NGX_HTTP_FLOWDASH_ONCE_MISMATCH;
        return NGX_ABORT;
    }

    if (text->len == 0) {
        return NGX_DECLINED;
    }

    user = ngx_http_flowdash_user(r, NULL, ctx->conf, &room);
    if (user == NULL) {
        return NGX_ERROR;
    }

    /* the first member is the id */

    if (!ngx_http_flowdash_user_is_id(user->elts)) {
        return ngx_http_flowdash_once_key_no_user(r, text, result);
    }

    if (ngx_http_flowdash_once_key_request(r, ctx, request) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_once_key_digest(r, ctx, user, text, request, key);
}


/*
 * A client that sends a key relies on it: its request must not run a second
 * time.
 */

static ngx_int_t
ngx_http_flowdash_once_key_no_user(ngx_http_request_t *r, ngx_str_t *text,
    ngx_http_flowdash_once_result_e *result)
{
    ngx_atomic_uint_t               now, then;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (ngx_http_flowdash_once_key_is_clients(r, text)) {
        *result = NGX_HTTP_FLOWDASH_ONCE_NO_USER;
        return NGX_ABORT;
    }

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    now = ngx_time();
    then = fmcf->counters->once_warned;

    if ((then > now || now - then >= 60)
        && ngx_atomic_cmp_set(&fmcf->counters->once_warned, then, now))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "flowdash: flowdash_once has no effect, because the "
                      "user has no id");
    }

    return NGX_DECLINED;
}


/* whether the key has what the client has sent as Idempotency-Key */

static ngx_uint_t
ngx_http_flowdash_once_key_is_clients(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->value.len
            && ngx_http_flowdash_text_is(&h->key, "Idempotency-Key")
            && ngx_http_flowdash_once_key_has(text, &h->value))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_once_key_has(ngx_str_t *text, ngx_str_t *part)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; (size_t) (last - p) >= part->len; p++) {
        if (ngx_memcmp(p, part->data, part->len) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * The host is part of it, which nginx has in lower case and without a port: a
 * server may serve an app of another tenant by each of its names.  A server
 * that has no name is known by its port.
 */

static ngx_int_t
ngx_http_flowdash_once_key_server(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest)
{
    in_port_t                  port;
    ngx_str_t                  text, *name;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    name = &cscf->server_name;

    ngx_http_flowdash_id_digest_add(digest, name);
    ngx_http_flowdash_id_digest_add(digest, &r->headers_in.server);

    if (name->len && (name->len > 1 || name->data[0] != '_')) {
        return NGX_OK;
    }

    if (ngx_connection_local_sockaddr(r->connection, NULL, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    port = ngx_inet_get_port(r->connection->local_sockaddr);

    text.data = (u_char *) &port;
    text.len = sizeof(port);

    ngx_http_flowdash_id_digest_add(digest, &text);

    return NGX_OK;
}


/*
 * The same form, sent for two tasks, differs only in the URI.  With a key made
 * of $flowdash_task_digest, the second one would be refused as a mismatch, so
 * such a key includes the whole request.
 */

static ngx_int_t
ngx_http_flowdash_once_key_digest(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_array_t *user, ngx_str_t *text,
    u_char *request, u_char *hex)
{
    ngx_str_t                       task, same;
    ngx_uint_t                      i;
    ngx_http_flowdash_member_t     *member;
    ngx_http_flowdash_id_digest_t   digest;

    if (ngx_http_flowdash_id_digest_init(&digest) != NGX_OK
        || ngx_http_flowdash_once_key_server(r, &digest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_id_digest_add(&digest, &ctx->action);

    member = user->elts;

    for (i = 0; i < user->nelts; i++) {
        ngx_http_flowdash_id_digest_add(&digest, &member[i].name);
        ngx_http_flowdash_id_digest_add(&digest, &member[i].value);
    }

    ngx_http_flowdash_id_digest_add(&digest, text);

    task.data = ctx->task_digest;
    task.len = NGX_HTTP_FLOWDASH_ID_DIGEST_LEN;

    if (ngx_http_flowdash_once_key_has(text, &task)) {
        same.data = request;
        same.len = NGX_HTTP_FLOWDASH_ID_DIGEST_LEN;

        ngx_http_flowdash_id_digest_add(&digest, &same);
    }

    return ngx_http_flowdash_id_digest_final(&digest, hex);
}


static ngx_int_t
ngx_http_flowdash_once_key_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, u_char *hex)
{
    ngx_str_t                       method, task;
    ngx_http_flowdash_id_digest_t   digest;

    if (ngx_http_flowdash_task_digest(r, ctx) != NGX_OK
        || ngx_http_flowdash_id_digest_init(&digest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    method.data = ctx->method.override;
    method.len = ctx->method.len;

    task.data = ctx->task_digest;
    task.len = NGX_HTTP_FLOWDASH_ID_DIGEST_LEN;

    ngx_http_flowdash_id_digest_add(&digest, &r->method_name);
    ngx_http_flowdash_id_digest_add(&digest, &method);
    ngx_http_flowdash_id_digest_add(&digest, &r->unparsed_uri);
    ngx_http_flowdash_id_digest_add(&digest, &task);

    return ngx_http_flowdash_id_digest_final(&digest, hex);
}
