
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


/* always sent, in this order, null when there is nothing to say */

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
    ngx_str_t                  *field, value;
    ngx_uint_t                  i, n;
    ngx_array_t                *user;
    ngx_keyval_t               *kv;
    ngx_http_flowdash_param_t  *param;

    user = ngx_array_create(r->pool, 4 + flcf->user->nelts,
                            sizeof(ngx_keyval_t));
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

    param = flcf->user->elts;

    for (n = 0; n < flcf->user->nelts; n++) {

        if (ngx_http_flowdash_value_raw(r, &param[n].value, &value)
            != NGX_OK)
        {
            return NULL;
        }

        if (ngx_http_flowdash_text_check_utf8(&value)) {
            if (ex == NULL) {

                /* its steps will say so */

                continue;
            }

            (void) ngx_http_flowdash_exchange_refuse(r, ex, "flowdash_user",
                                                     &param[n].name,
                                                     "is not UTF-8");
            return NULL;
        }

        kv = user->elts;

        for (i = 0; i < user->nelts; i++) {
            if (kv[i].key.len == param[n].name.len
                && ngx_strncmp(kv[i].key.data, param[n].name.data,
                               param[n].name.len) == 0)
            {
                break;
            }
        }

        if (i < user->nelts) {
            kv[i].value = value;
            continue;
        }

        kv = ngx_array_push(user);
        if (kv == NULL) {
            return NULL;
        }

        kv->key = param[n].name;
        kv->value = value;
    }

    return user;
}
