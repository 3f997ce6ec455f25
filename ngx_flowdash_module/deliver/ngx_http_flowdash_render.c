
/*
 * The call of an undo or an after-step, made as the call of a step is, and
 * stored in pieces: secrets stay out of it, and so does what is known only
 * when it is sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_json_ascii.h>
#include <ngx_http_flowdash_marker.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_url_make.h>
#include <ngx_http_flowdash_step.h>
#include <ngx_http_flowdash_render.h>


static ngx_int_t ngx_http_flowdash_render_init(
    ngx_http_flowdash_delivery_t *delivery, ngx_str_t *name, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_render_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_str_t *uri, ngx_str_t *host);
static ngx_int_t ngx_http_flowdash_render_store(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *uri, ngx_str_t *host,
    ngx_str_t *key, ngx_pool_t *pool, ngx_http_flowdash_delivery_t *delivery);
static ngx_int_t ngx_http_flowdash_render_header(
    ngx_http_flowdash_markers_t *markers, ngx_str_t *name, ngx_str_t *value,
    ngx_str_t *key, ngx_pool_t *pool, ngx_array_t *headers);
static ngx_int_t ngx_http_flowdash_render_undoes(
    ngx_http_flowdash_markers_t *markers, ngx_str_t *key, ngx_pool_t *pool,
    ngx_array_t *headers);
static ngx_int_t ngx_http_flowdash_render_body(
    ngx_http_flowdash_markers_t *markers, ngx_http_flowdash_exchange_t *ex,
    ngx_str_t *key, ngx_pool_t *pool, ngx_array_t *body);
static ngx_int_t ngx_http_flowdash_render_key(ngx_array_t *body,
    ngx_str_t *key, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_render_piece(ngx_array_t *pieces,
    ngx_http_flowdash_piece_e kind);
static ngx_int_t ngx_http_flowdash_render_copy(ngx_str_t *dst, ngx_str_t *src,
    ngx_pool_t *pool);


ngx_int_t
ngx_http_flowdash_render(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_step_t *step, ngx_str_t *name, ngx_str_t *key,
    ngx_pool_t *pool, ngx_http_flowdash_delivery_t *delivery)
{
    ngx_int_t                      rc;
    ngx_str_t                      uri, host;
    ngx_http_variable_value_t     *variables;
    ngx_http_flowdash_markers_t    markers;
    ngx_http_flowdash_exchange_t   ex;

    ngx_memzero(&ex, sizeof(ngx_http_flowdash_exchange_t));
    ex.step = step;

    if (ngx_http_flowdash_render_init(delivery, name, pool) != NGX_OK
        || ngx_http_flowdash_marker_init(&markers, r->pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /*
     * What nginx caches now, such as the value of a "map", must not be taken
     * for what it is when the step, or the app, has answered.
     */

    variables = r->variables;
    r->variables = ngx_http_flowdash_value_copy_variables(r);

    if (r->variables == NULL) {
        r->variables = variables;
        return NGX_ERROR;
    }

    ctx->markers = &markers;

    rc = ngx_http_flowdash_render_call(r, ctx, &ex, &uri, &host);

    (void) ngx_pfree(r->pool, r->variables);
    r->variables = variables;

    if (rc == NGX_OK && markers.lost) {
        rc = ngx_http_flowdash_exchange_fail_text(&ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                   "the secret \"$%V\" is not stored, and something has "
                   "changed what stands for it: a \"map\" cannot test it, nor "
                   "a script encode it", markers.lost);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_render_store(ctx, &ex, &uri, &host, key, pool,
                                            delivery);

    } else if (rc == NGX_DECLINED && ex.error) {
        rc = ngx_http_flowdash_render_copy(&delivery->error, &ex.detail, pool);
    }

    ctx->markers = NULL;

    delivery->constant = !markers.variables;

    /* a large task is rendered several times */

    ngx_http_flowdash_slices_free(&ex.payload, r->pool);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_render_init(ngx_http_flowdash_delivery_t *delivery,
    ngx_str_t *name, ngx_pool_t *pool)
{
    ngx_memzero(delivery, sizeof(ngx_http_flowdash_delivery_t));

    if (ngx_array_init(&delivery->uri, pool, 1,
                       sizeof(ngx_http_flowdash_piece_t))
        != NGX_OK
        || ngx_array_init(&delivery->headers, pool, 8,
                          sizeof(ngx_http_flowdash_record_header_t))
           != NGX_OK
        || ngx_array_init(&delivery->body, pool, 2,
                          sizeof(ngx_http_flowdash_piece_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_render_copy(&delivery->name, name, pool);
}


static ngx_int_t
ngx_http_flowdash_render_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_str_t *uri, ngx_str_t *host)
{
    ngx_int_t                      rc;
    ngx_str_t                      text;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ngx_http_flowdash_exchange_conf(ex);

    rc = ngx_http_flowdash_step_condition(r, ex);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_step_request(r, ctx, ex);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_url_make(r, ex, flcf->url, &text, host);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_url_make_uri(flcf->url, &text, host, uri,
                                          r->pool);
}


static ngx_int_t
ngx_http_flowdash_render_store(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *uri, ngx_str_t *host,
    ngx_str_t *key, ngx_pool_t *pool, ngx_http_flowdash_delivery_t *delivery)
{
    ngx_uint_t                     i;
    ngx_keyval_t                  *header;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ngx_http_flowdash_exchange_conf(ex);

    if (ngx_http_flowdash_render_copy(&delivery->key, &ex->id, pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (flcf->url->variable_host
        && ngx_http_flowdash_render_copy(&delivery->host, host, pool)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_marker_split(ctx->markers, uri,
                                       NGX_HTTP_FLOWDASH_PIECE_URI,
                                       &delivery->uri, pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    header = ex->headers.elts;

    for (i = 0; i < ex->headers.nelts; i++) {
        if (ngx_http_flowdash_render_header(ctx->markers, &header[i].key,
                                            &header[i].value, &ex->id, pool,
                                            &delivery->headers)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (key && ngx_http_flowdash_render_undoes(ctx->markers, key, pool,
                                               &delivery->headers)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_render_body(ctx->markers, ex, key, pool,
                                         &delivery->body);
}


static ngx_int_t
ngx_http_flowdash_render_header(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *name, ngx_str_t *value, ngx_str_t *key, ngx_pool_t *pool,
    ngx_array_t *headers)
{
    ngx_http_flowdash_record_header_t  *header;

    header = ngx_array_push(headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    if (ngx_array_init(&header->value, pool, 1,
                       sizeof(ngx_http_flowdash_piece_t))
        != NGX_OK
        || ngx_http_flowdash_render_copy(&header->name, name, pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (key && value->len == key->len + 2
        && value->data[0] == '"' && value->data[value->len - 1] == '"'
        && ngx_memcmp(value->data + 1, key->data, key->len) == 0)
    {
        return ngx_http_flowdash_render_piece(&header->value,
                                            NGX_HTTP_FLOWDASH_PIECE_KEY);
    }

    return ngx_http_flowdash_marker_split(markers, value,
                                          NGX_HTTP_FLOWDASH_PIECE_RAW,
                                          &header->value, pool);
}


/* the key of the step that is undone, spelled as it was sent */

static ngx_int_t
ngx_http_flowdash_render_undoes(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *key, ngx_pool_t *pool, ngx_array_t *headers)
{
    u_char     *p;
    ngx_str_t   value;

    static ngx_str_t  name = ngx_string("Flowdash-Undo");

    value.len = key->len + 2;

    p = ngx_pnalloc(pool, value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    *p++ = '"';
    p = ngx_cpymem(p, key->data, key->len);
    *p = '"';

    return ngx_http_flowdash_render_header(markers, &name, &value, NULL, pool,
                                           headers);
}


static ngx_int_t
ngx_http_flowdash_render_body(ngx_http_flowdash_markers_t *markers,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *key, ngx_pool_t *pool,
    ngx_array_t *body)
{
    ngx_str_t                           slice;
    ngx_uint_t                          i, own;
    ngx_http_flowdash_slices_t         *payload;
    ngx_http_flowdash_loc_conf_t       *flcf;
    ngx_http_flowdash_piece_encoding_e  encoding;

    flcf = ngx_http_flowdash_exchange_conf(ex);
    payload = &ex->payload;

    if (payload->len == 0) {

        /* DELETE */

        return NGX_OK;
    }

    own = (flcf->set_body == NULL);
    encoding = (!own && flcf->set_body->form) ? NGX_HTTP_FLOWDASH_PIECE_FORM
                                              : NGX_HTTP_FLOWDASH_PIECE_STRING;

    /* a marker is never in two slices */

    for (i = 0; i < payload->nelts; i++) {

        slice = payload->elts[i];

        if (own && i + 1 == payload->nelts) {
            slice.len--;
        }

        if (ngx_http_flowdash_marker_split(markers, &slice, encoding, body,
                                           pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (!own) {
        return NGX_OK;
    }

    /* the end of the module's own payload, instead of the last brace */

    if (ngx_http_flowdash_render_piece(body,
                                       key ? NGX_HTTP_FLOWDASH_PIECE_UNDO
                                           : NGX_HTTP_FLOWDASH_PIECE_AFTER)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return key ? ngx_http_flowdash_render_key(body, key, pool) : NGX_OK;
}


/* a piece that has no text of its own */

static ngx_int_t
ngx_http_flowdash_render_piece(ngx_array_t *pieces,
    ngx_http_flowdash_piece_e kind)
{
    ngx_http_flowdash_piece_t  *piece;

    piece = ngx_array_push(pieces);
    if (piece == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(piece, sizeof(ngx_http_flowdash_piece_t));
    piece->kind = kind;

    return NGX_OK;
}


/* ,"key":"..."}}: in the payload, where a signature covers it */

static ngx_int_t
ngx_http_flowdash_render_key(ngx_array_t *body, ngx_str_t *key,
    ngx_pool_t *pool)
{
    u_char                     *p;
    ngx_http_flowdash_piece_t  *piece;

    piece = ngx_array_push(body);
    if (piece == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(piece, sizeof(ngx_http_flowdash_piece_t));

    p = ngx_pnalloc(pool, sizeof(",\"key\":}}")
                          + ngx_http_flowdash_json_ascii_length(key));
    if (p == NULL) {
        return NGX_ERROR;
    }

    piece->text.data = p;

    p = ngx_cpymem(p, ",\"key\":", sizeof(",\"key\":") - 1);
    p = ngx_http_flowdash_json_ascii_write(p, key);
    p = ngx_cpymem(p, "}}", sizeof("}}") - 1);

    piece->text.len = p - piece->text.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_render_copy(ngx_str_t *dst, ngx_str_t *src, ngx_pool_t *pool)
{
    dst->len = src->len;

    dst->data = ngx_pnalloc(pool, src->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);

    return NGX_OK;
}
