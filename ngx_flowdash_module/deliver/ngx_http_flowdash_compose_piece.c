
/*
 * What stands for a piece of a stored text when it is sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_json_ascii.h>
#include <ngx_http_flowdash_template.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_secret.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_compose_piece.h>


static ngx_int_t ngx_http_flowdash_compose_piece_secret(
    ngx_http_flowdash_call_t *call, ngx_http_flowdash_piece_t *piece,
    ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_compose_piece_key(
    ngx_http_flowdash_call_t *call, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_compose_piece_undo(ngx_pool_t *pool,
    ngx_http_flowdash_record_t *record, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_compose_piece_after(ngx_pool_t *pool,
    ngx_http_flowdash_record_t *record, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_compose_piece_string(ngx_pool_t *pool,
    ngx_str_t *value, ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_compose_piece(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_piece_t *piece,
    ngx_str_t *text)
{
    switch (piece->kind) {

    case NGX_HTTP_FLOWDASH_PIECE_SECRET:
        return ngx_http_flowdash_compose_piece_secret(call, piece, text);

    case NGX_HTTP_FLOWDASH_PIECE_KEY:
        return ngx_http_flowdash_compose_piece_key(call, text);

    case NGX_HTTP_FLOWDASH_PIECE_UNDO:
        return ngx_http_flowdash_compose_piece_undo(call->pool, record, text);

    case NGX_HTTP_FLOWDASH_PIECE_AFTER:
        return ngx_http_flowdash_compose_piece_after(call->pool, record, text);

    default: /* NGX_HTTP_FLOWDASH_PIECE_TEXT */
        *text = piece->text;
        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_flowdash_compose_piece_secret(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_piece_t *piece, ngx_str_t *text)
{
    size_t                               len;
    ngx_str_t                           *value;
    ngx_http_flowdash_secret_t          *secret;
    ngx_http_flowdash_template_place_e   place;

    secret = ngx_http_flowdash_secret_named(call->main_conf->secrets,
                                            &piece->text);

    if (secret == NULL) {
        return ngx_http_flowdash_exchange_fail_text(call->ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, call->pool,
                   "the secret \"$%V\" is no longer configured", &piece->text);
    }

    value = &secret->value;

    switch (piece->encoding) {

    case NGX_HTTP_FLOWDASH_PIECE_RAW:
        *text = *value;
        return NGX_OK;

    case NGX_HTTP_FLOWDASH_PIECE_JSON:
        return ngx_http_flowdash_compose_piece_string(call->pool, value, text);

    case NGX_HTTP_FLOWDASH_PIECE_STRING:
        place = NGX_HTTP_FLOWDASH_TEMPLATE_STRING;
        break;

    default: /* in a URL or a form */
        place = NGX_HTTP_FLOWDASH_TEMPLATE_FORM;
        break;
    }

    len = ngx_http_flowdash_template_write(NULL, place, value);

    text->data = ngx_pnalloc(call->pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_http_flowdash_template_write(text->data, place, value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_compose_piece_key(ngx_http_flowdash_call_t *call,
    ngx_str_t *text)
{
    u_char     *p;
    ngx_str_t  *key;

    key = &call->ex->id;

    p = ngx_pnalloc(call->pool, key->len + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = key->len + 2;

    *p++ = '"';
    p = ngx_cpymem(p, key->data, key->len);
    *p = '"';

    return NGX_OK;
}


/* ,"undo":{"reason":"...","step":"...": its key is a text behind it */

static ngx_int_t
ngx_http_flowdash_compose_piece_undo(ngx_pool_t *pool,
    ngx_http_flowdash_record_t *record, ngx_str_t *text)
{
    ngx_str_t  reason, step;

    ngx_str_set(&step, "null");

    if (ngx_http_flowdash_compose_piece_string(pool, &record->reason, &reason)
        != NGX_OK
        || (record->failed_step.len
            && ngx_http_flowdash_compose_piece_string(pool,
                                                      &record->failed_step,
                                                      &step)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    text->data = ngx_pnalloc(pool,
                             sizeof(",\"undo\":{\"reason\":,\"step\":") - 1
                             + reason.len + step.len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_sprintf(text->data,
                            ",\"undo\":{\"reason\":%V,\"step\":%V", &reason,
                            &step)
                - text->data;

    return NGX_OK;
}


/* ,"result":{"status":302,"location":"..."},"response":{...}} */

static ngx_int_t
ngx_http_flowdash_compose_piece_after(ngx_pool_t *pool,
    ngx_http_flowdash_record_t *record, ngx_str_t *text)
{
    size_t     len;
    u_char    *p;
    ngx_str_t  location, response;

    ngx_str_set(&location, "null");
    ngx_str_set(&response, "null");

    if (record->redirect.len
        && ngx_http_flowdash_compose_piece_string(pool, &record->redirect,
                                                  &location)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (record->response.len) {
        response = record->response;
    }

    len = sizeof(",\"result\":{\"status\":,\"location\":},\"response\":"
                 ",\"truncated\":true}")
          - 1 + NGX_INT_T_LEN + location.len + response.len;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    p = ngx_sprintf(p, ",\"result\":{\"status\":%ui,\"location\":%V},"
                       "\"response\":%V%s}",
                    record->status, &location, &response,
                    record->truncated ? ",\"truncated\":true" : "");

    text->len = p - text->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_compose_piece_string(ngx_pool_t *pool, ngx_str_t *value,
    ngx_str_t *text)
{
    text->data = ngx_pnalloc(pool, ngx_http_flowdash_json_ascii_length(value));
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_http_flowdash_json_ascii_write(text->data, value)
                - text->data;

    return NGX_OK;
}
