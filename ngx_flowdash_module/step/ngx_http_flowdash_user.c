
/*
 * The members of "user" in the payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_user.h>


static ngx_array_t *ngx_http_flowdash_user_default(ngx_pool_t *pool,
    ngx_http_flowdash_user_t *room);
static void ngx_http_flowdash_user_told(ngx_array_t *user, ngx_array_t *told);
static ngx_int_t ngx_http_flowdash_user_check_id(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *flcf);
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
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_user_t *room)
{
    ngx_uint_t                  i;
    ngx_array_t                *user;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_value_t   value;
    ngx_http_flowdash_param_t  *param;

    user = ngx_http_flowdash_user_default(r->pool, room);
    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx->told) {
        ngx_http_flowdash_user_told(user, ctx->told);
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
ngx_http_flowdash_user_default(ngx_pool_t *pool,
    ngx_http_flowdash_user_t *room)
{
    ngx_str_t                   *field;
    ngx_array_t                 *user;
    ngx_http_flowdash_member_t  *member;

    user = &room->array;

    user->elts = room->members;
    user->nelts = 0;
    user->size = sizeof(ngx_http_flowdash_member_t);
    user->nalloc = sizeof(room->members) / sizeof(room->members[0]);
    user->pool = pool;

    member = room->members;
    field = ngx_http_flowdash_user_fields;

    do {
        member->name = *field++;
        ngx_str_null(&member->value);
        member->json = 0;

        member++;
        user->nelts++;

    } while (field->len);

    return user;
}


/* of what the app has told, only the members that are always sent */

static void
ngx_http_flowdash_user_told(ngx_array_t *user, ngx_array_t *told)
{
    ngx_uint_t                   i, n;
    ngx_http_flowdash_member_t  *member, *other;

    member = user->elts;
    other = told->elts;

    for (i = 0; i < user->nelts; i++) {
        for (n = 0; n < told->nelts; n++) {
            if (ngx_http_flowdash_text_equal(&member[i].name, &other[n].name))
            {
                member[i] = other[n];
            }
        }
    }
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


ngx_int_t
ngx_http_flowdash_user_has_id(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_flowdash_step_t     **step;
    ngx_http_flowdash_loc_conf_t  *flcf;

    rc = ngx_http_flowdash_user_check_id(r, ctx->conf);

    step = ctx->conf->steps->elts;

    for (i = 0; rc == NGX_OK && i < ctx->conf->steps->nelts; i++) {

        flcf = step[i]->loc_conf[ngx_http_flowdash_module.ctx_index];

        if (flcf->user != ctx->conf->user) {
            rc = ngx_http_flowdash_user_check_id(r, flcf);
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_flowdash_user_check_id(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_array_t               *user;
    ngx_http_flowdash_user_t   room;

    user = ngx_http_flowdash_user(r, NULL, flcf, &room);
    if (user == NULL) {
        return NGX_ERROR;
    }

    /* the first member is the id */

    return ngx_http_flowdash_user_is_id(user->elts) ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_http_flowdash_user_is_field(ngx_str_t *name)
{
    ngx_str_t  *field;

    for (field = ngx_http_flowdash_user_fields; field->len; field++) {
        if (ngx_http_flowdash_text_equal(field, name)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_user_is_id(ngx_http_flowdash_member_t *member)
{
    u_char  c;

    if (member->value.len == 0) {
        return 0;
    }

    c = member->value.data[0];

    if (member->value.len == 1 && c == '0') {
        return 0;
    }

    return !member->json || c == '-' || (c >= '0' && c <= '9');
}
