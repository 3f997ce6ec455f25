
/*
 * The members of "user" in the payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
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

        if (ngx_http_flowdash_value_sent_raw(r, flcf, &param[i].value, &value)
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
    ngx_str_t                   *field;
    ngx_array_t                 *user;
    ngx_http_flowdash_member_t  *member;

    user = ngx_array_create(pool, 4 + more,
                            sizeof(ngx_http_flowdash_member_t));
    if (user == NULL) {
        return NULL;
    }

    for (field = ngx_http_flowdash_user_fields; field->len; field++) {

        member = ngx_array_push(user);
        if (member == NULL) {
            return NULL;
        }

        member->name = *field;
        ngx_str_null(&member->value);
        member->json = 0;
    }

    return user;
}


static ngx_int_t
ngx_http_flowdash_user_set(ngx_array_t *user, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t                   i;
    ngx_http_flowdash_member_t  *member;

    member = user->elts;

    for (i = 0; i < user->nelts; i++) {
        if (ngx_http_flowdash_text_equal(&member[i].name, name)) {
            member[i].value = *value;
            member[i].json = 0;
            return NGX_OK;
        }
    }

    member = ngx_array_push(user);
    if (member == NULL) {
        return NGX_ERROR;
    }

    member->name = *name;
    member->value = *value;
    member->json = 0;

    return NGX_OK;
}


size_t
ngx_http_flowdash_user_length(ngx_array_t *user)
{
    size_t                       len;
    ngx_uint_t                   i;
    ngx_http_flowdash_member_t  *member;

    len = sizeof("{}") - 1;
    member = user->elts;

    for (i = 0; i < user->nelts; i++) {
        len += sizeof(",:null") - 1
               + ngx_http_flowdash_json_string_length(&member[i].name)
               + ngx_http_flowdash_json_string_length(&member[i].value);
    }

    return len;
}


u_char *
ngx_http_flowdash_user_write(u_char *p, ngx_array_t *user)
{
    ngx_uint_t                   i;
    ngx_http_flowdash_member_t  *member;

    member = user->elts;

    *p++ = '{';

    for (i = 0; i < user->nelts; i++) {

        if (i) {
            *p++ = ',';
        }

        p = ngx_http_flowdash_json_write_string(p, &member[i].name);
        *p++ = ':';

        if (member[i].value.len == 0) {
            p = ngx_cpymem(p, "null", sizeof("null") - 1);

        } else if (member[i].json) {
            p = ngx_cpymem(p, member[i].value.data, member[i].value.len);

        } else {
            p = ngx_http_flowdash_json_write_string(p, &member[i].value);
        }
    }

    *p++ = '}';

    return p;
}
