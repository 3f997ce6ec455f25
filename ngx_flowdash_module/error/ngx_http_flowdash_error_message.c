
/*
 * Finds what an endpoint says about its failure, and cleans it for the user.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_error_fields.h>
#include <ngx_http_flowdash_error_message.h>


#define NGX_HTTP_FLOWDASH_MESSAGE_SIZE  1024

/* the members of an answer that may have the message, the best one first */

typedef enum {
    NGX_HTTP_FLOWDASH_MESSAGE_DETAIL = 0,
    NGX_HTTP_FLOWDASH_MESSAGE_TITLE,      /* only in problem+json */
    NGX_HTTP_FLOWDASH_MESSAGE_MESSAGE,
    NGX_HTTP_FLOWDASH_MESSAGE_ERROR,
    NGX_HTTP_FLOWDASH_MESSAGE_ERRORS,
    NGX_HTTP_FLOWDASH_MESSAGE_MEMBERS
} ngx_http_flowdash_error_message_e;


typedef struct {
    ngx_pool_t                 *pool;
    ngx_http_flowdash_ctx_t    *ctx;
    ngx_http_flowdash_clean_t   text;
    ngx_str_t                   members[NGX_HTTP_FLOWDASH_MESSAGE_MEMBERS];
} ngx_http_flowdash_error_message_t;


static ngx_uint_t ngx_http_flowdash_error_message_type_is(ngx_str_t *type,
    const char *name);
static ngx_int_t ngx_http_flowdash_error_message_json(
    ngx_http_flowdash_error_message_t *message, ngx_str_t *body,
    ngx_str_t *content_type);
static ngx_int_t ngx_http_flowdash_error_message_members(
    ngx_http_flowdash_error_message_t *message, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_error_message_member(void *data,
    ngx_str_t *name, ngx_str_t *spelling, ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_error_message_string(
    ngx_http_flowdash_error_message_t *message, ngx_str_t *string);


static ngx_str_t  ngx_http_flowdash_error_message_names[] = {
    ngx_string("detail"),
    ngx_string("title"),
    ngx_string("message"),
    ngx_string("error"),
    ngx_string("errors")
};


ngx_int_t
ngx_http_flowdash_error_message(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                          rc;
    ngx_http_flowdash_error_message_t  message;

    ngx_str_null(&ctx->message);

    if (ex->body.len == 0) {
        return NGX_OK;
    }

    message.pool = r->pool;
    message.ctx = ctx;

    if (ngx_http_flowdash_clean_begin(&message.text, r->pool,
                                      NGX_HTTP_FLOWDASH_MESSAGE_SIZE,
                                      &ctx->message)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_error_message_type_is(&ex->content_type,
                                                "text/plain"))
    {
        ngx_http_flowdash_clean_add(&message.text, &ex->body);

    } else if (ex->content_type.len == 0
               || ngx_http_flowdash_text_is_json_type(&ex->content_type))
    {
        rc = ngx_http_flowdash_error_message_json(&message, &ex->body,
                                                  &ex->content_type);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    ngx_http_flowdash_clean_end(&message.text);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_error_message_type_is(ngx_str_t *type, const char *name)
{
    size_t  len;

    len = ngx_strlen(name);

    return type->len >= len
           && ngx_strncasecmp(type->data, (u_char *) name, len) == 0
           && (type->len == len || type->data[len] == ';'
               || type->data[len] == ' ' || type->data[len] == '\t');
}


static ngx_int_t
ngx_http_flowdash_error_message_json(
    ngx_http_flowdash_error_message_t *message, ngx_str_t *body,
    ngx_str_t *content_type)
{
    ngx_str_t                *member, object, errors;
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_http_flowdash_ctx_t  *ctx;

    ctx = message->ctx;

    if (ngx_http_flowdash_error_message_members(message, body) != NGX_OK
        || ngx_http_flowdash_error_fields(message->pool,
                           &message->members[NGX_HTTP_FLOWDASH_MESSAGE_ERRORS],
                           &ctx->errors)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_flowdash_error_message_type_is(content_type,
                                         "application/problem+json"))
    {
        ngx_str_null(&message->members[NGX_HTTP_FLOWDASH_MESSAGE_TITLE]);
    }

    member = message->members;
    rc = NGX_OK;

    for (i = 0; i < NGX_HTTP_FLOWDASH_MESSAGE_MEMBERS; i++) {

        if (member[i].len == 0) {
            continue;
        }

        if (member[i].data[0] == '"') {
            rc = ngx_http_flowdash_error_message_string(message, &member[i]);

        } else if (i == NGX_HTTP_FLOWDASH_MESSAGE_ERROR
                   && member[i].data[0] == '{')
        {
            object = member[i];
            errors = member[NGX_HTTP_FLOWDASH_MESSAGE_ERRORS];

            rc = ngx_http_flowdash_error_message_members(message, &object);

            if (rc == NGX_OK) {
                rc = ngx_http_flowdash_error_message_string(message,
                                 &member[NGX_HTTP_FLOWDASH_MESSAGE_MESSAGE]);
            }

            /* "errors" is next: that of the answer, not that of the object */

            member[NGX_HTTP_FLOWDASH_MESSAGE_ERRORS] = errors;
        }

        if (rc != NGX_OK || ctx->message.len) {
            return rc;
        }
    }

    if (ctx->errors) {
        ctx->joined = 1;
        ngx_http_flowdash_error_fields_add(&message->text, ctx->errors);
    }

    return NGX_OK;
}


/* finds the members of an object that may have the message */

static ngx_int_t
ngx_http_flowdash_error_message_members(
    ngx_http_flowdash_error_message_t *message, ngx_str_t *text)
{
    ngx_array_t                       pointer;
    ngx_http_flowdash_json_t          json;
    ngx_http_flowdash_json_verdict_e  verdict;

    ngx_memzero(&pointer, sizeof(ngx_array_t));
    ngx_memzero(&json, sizeof(ngx_http_flowdash_json_t));

    json.text = *text;
    json.pointer = &pointer;
    json.member = ngx_http_flowdash_error_message_member;
    json.data = message;
    json.max_size = text->len;    /* for names with escapes */

    ngx_memzero(message->members, sizeof(message->members));

    if (ngx_http_flowdash_json_pointer_parse(&json, &verdict, message->pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        ngx_memzero(message->members, sizeof(message->members));
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_error_message_member(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_http_flowdash_error_message_t *message = data;

    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FLOWDASH_MESSAGE_MEMBERS; i++) {
        if (ngx_http_flowdash_text_equal(
                                    &ngx_http_flowdash_error_message_names[i],
                                    name))
        {
            message->members[i] = *value;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_error_message_string(
    ngx_http_flowdash_error_message_t *message, ngx_str_t *string)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    rc = ngx_http_flowdash_json_decode(string, &text, message->pool);

    if (rc == NGX_OK) {
        ngx_http_flowdash_clean_add(&message->text, &text);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}
