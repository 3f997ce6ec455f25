
/*
 * The members of "user" in the payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_user.h>


static ngx_array_t *ngx_http_flowdash_user_default(ngx_pool_t *pool,
    ngx_uint_t more);
static ngx_int_t ngx_http_flowdash_user_set(ngx_array_t *user,
    ngx_str_t *name, ngx_str_t *value);


/* always sent, in this order; null if they are not set */

static ngx_str_t  ngx_http_flowdash_user_fields[] = {
    ngx_string("id"),
    ngx_string("email"),
    ngx_string("first_name"),
    ngx_string("last_name"),
    ngx_null_string
};


ngx_array_t *
ngx_http_flowdash_user(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_uint_t                  i;
    ngx_array_t                *user;
    ngx_http_flowdash_value_t   value;
    ngx_http_flowdash_param_t  *param;

    user = ngx_http_flowdash_user_default(r->pool, flcf->user->nelts);
    if (user == NULL) {
        return NULL;
    }

    param = flcf->user->elts;

    for (i = 0; i < flcf->user->nelts; i++) {

        if (ngx_http_flowdash_value_raw(r, &param[i].value, &value)
            != NGX_OK)
        {
            return NULL;
        }

        if (ngx_http_flowdash_text_check_utf8(&value.text)) {
            if (ex == NULL) {

                /* a step that would send this value fails */

                continue;
            }

            (void) ngx_http_flowdash_exchange_fail_text(ex,
                       NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                       "the value of flowdash_user %V is not UTF-8",
                       &param[i].name);
            return NULL;
        }

        if (ngx_http_flowdash_user_set(user, &param[i].name, &value.text)
            != NGX_OK)
        {
            return NULL;
        }
    }

    return user;
}


static ngx_array_t *
ngx_http_flowdash_user_default(ngx_pool_t *pool, ngx_uint_t more)
{
    ngx_str_t     *field;
    ngx_array_t   *user;
    ngx_keyval_t  *kv;

    user = ngx_array_create(pool, 4 + more, sizeof(ngx_keyval_t));
    if (user == NULL) {
        return NULL;
    }

    for (field = ngx_http_flowdash_user_fields; field->len; field++) {

        kv = ngx_array_push(user);
        if (kv == NULL) {
            return NULL;
        }

        kv->key = *field;
        ngx_str_null(&kv->value);
    }

    return user;
}


static ngx_int_t
ngx_http_flowdash_user_set(ngx_array_t *user, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t     i;
    ngx_keyval_t  *kv;

    kv = user->elts;

    for (i = 0; i < user->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&kv[i].key, name)) {
            kv[i].value = *value;
            return NGX_OK;
        }
    }

    kv = ngx_array_push(user);
    if (kv == NULL) {
        return NGX_ERROR;
    }

    kv->key = *name;
    kv->value = *value;

    return NGX_OK;
}
