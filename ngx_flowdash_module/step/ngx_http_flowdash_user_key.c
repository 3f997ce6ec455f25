
/*
 * The key of a user who is kept for the next actions.  Whoever finds an entry
 * gets its user, so the key has all by which an app may tell two users apart,
 * and all that the app's location may send instead.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_fetch_request.h>
#include <ngx_http_flowdash_user_key.h>


static void ngx_http_flowdash_user_key_place(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest);
static void ngx_http_flowdash_user_key_headers(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest);
static ngx_int_t ngx_http_flowdash_user_key_connection(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest);
static void ngx_http_flowdash_user_key_variables(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest);
static ngx_uint_t ngx_http_flowdash_user_key_has_variable(
    ngx_http_request_t *r, ngx_uint_t index);


u_char *
ngx_http_flowdash_user_key(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_str_t *uri, ngx_str_t *args)
{
    u_char                         *hex;
    ngx_http_flowdash_id_digest_t   digest;

    hex = ngx_pnalloc(r->pool, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);
    if (hex == NULL || ngx_http_flowdash_id_digest_init(&digest) != NGX_OK) {
        return NULL;
    }

    ngx_http_flowdash_user_key_place(r, &digest);

    ngx_http_flowdash_id_digest_add(&digest, uri);
    ngx_http_flowdash_id_digest_add(&digest, args);
    ngx_http_flowdash_id_digest_add(&digest,
                                    &ctx->conf->user_from->pointer_text);

    ngx_http_flowdash_user_key_headers(r, &digest);

    if (ngx_http_flowdash_user_key_connection(r, &digest) != NGX_OK) {

        /* it must not keep its memory */

        (void) ngx_http_flowdash_id_digest_final(&digest, hex);
        return NULL;
    }

    ngx_http_flowdash_user_key_variables(r, &digest);

    return (ngx_http_flowdash_id_digest_final(&digest, hex) == NGX_OK)
           ? hex : NULL;
}


/* the server is a pointer, which all workers of a configuration share */

static void
ngx_http_flowdash_user_key_place(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest)
{
    ngx_str_t                       s;
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    s.data = (u_char *) &fmcf->generation;
    s.len = sizeof(ngx_uint_t);

    ngx_http_flowdash_id_digest_add(digest, &s);

    s.data = (u_char *) &cscf;
    s.len = sizeof(void *);

    ngx_http_flowdash_id_digest_add(digest, &s);
    ngx_http_flowdash_id_digest_add(digest, &r->headers_in.server);
}


static void
ngx_http_flowdash_user_key_headers(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (!ngx_http_flowdash_fetch_request_leaves_out(&h->key)) {
            ngx_http_flowdash_id_digest_add(digest, &h->key);
            ngx_http_flowdash_id_digest_add(digest, &h->value);
        }
    }
}


/* what "proxy_set_header" may tell the app about the client */

static ngx_int_t
ngx_http_flowdash_user_key_connection(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest)
{
    ngx_str_t                  *name, value;
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *v;

    static ngx_str_t  names[] = {
        ngx_string("remote_addr"),
        ngx_string("realip_remote_addr"),
        ngx_string("proxy_protocol_addr"),
        ngx_string("proxy_protocol_tlv_ssl_cn"),      /* since 1.23.2 */
        ngx_string("proxy_protocol_tlv_ssl_verify"),
        ngx_string("scheme"),
        ngx_string("server_addr"),
        ngx_string("server_port"),
        ngx_string("ssl_server_name"),
        ngx_string("ssl_client_verify"),
        ngx_string("ssl_client_raw_cert"),
        ngx_null_string
    };

    for (name = names; name->len; name++) {

        key = ngx_hash_key(name->data, name->len);

        v = ngx_http_get_variable(r, name, key);
        if (v == NULL) {
            return NGX_ERROR;
        }

        ngx_str_null(&value);

        if (!v->not_found) {
            value.data = v->data;
            value.len = v->len;
        }

        ngx_http_flowdash_id_digest_add(digest, &value);
    }

    return NGX_OK;
}


static void
ngx_http_flowdash_user_key_variables(ngx_http_request_t *r,
    ngx_http_flowdash_id_digest_t *digest)
{
    ngx_str_t                   value;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (!ngx_http_flowdash_user_key_has_variable(r, i)) {
            continue;
        }

        value.data = r->variables[i].data;
        value.len = r->variables[i].not_found ? 0 : r->variables[i].len;

        ngx_http_flowdash_id_digest_add(digest, &v[i].name);
        ngx_http_flowdash_id_digest_add(digest, &value);
    }
}


/*
 * Whether the subrequest gets the value of a variable: one that a directive
 * has set, but no capture of the location's.
 */

static ngx_uint_t
ngx_http_flowdash_user_key_has_variable(ngx_http_request_t *r,
    ngx_uint_t index)
{
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_variable_value_t  *value;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    v = cmcf->variables.elts;
    value = &r->variables[index];

    if ((v[index].flags & (NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE))
        != NGX_HTTP_VAR_CHANGEABLE
        || (!value->valid && !value->not_found))
    {
        return 0;
    }

    return value->len == 0
           || value->data < r->uri.data
           || value->data >= r->uri.data + r->uri.len;
}
