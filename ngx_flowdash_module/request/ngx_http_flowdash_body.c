
/*
 * The client's request body: evaluates its headers, and reads it in pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_media.h>
#include <ngx_http_flowdash_body.h>


/* bytes to read at once, and before yielding to other requests */

#define NGX_HTTP_FLOWDASH_BODY_PIECE  65536
#define NGX_HTTP_FLOWDASH_BODY_YIELD  (1024 * 1024)


static ngx_int_t ngx_http_flowdash_body_read_file(ngx_http_request_t *r,
    ngx_buf_t *b, u_char *p, size_t size, off_t offset);
static void ngx_http_flowdash_body_content_type(ngx_str_t *value,
    ngx_array_t *types, ngx_http_flowdash_media_t *media,
    const char **charset);
static ngx_uint_t ngx_http_flowdash_body_is_two(ngx_str_t *value,
    ngx_http_flowdash_type_e type);
static ngx_uint_t ngx_http_flowdash_body_is_listed(ngx_str_t *name,
    ngx_array_t *types);
static ngx_uint_t ngx_http_flowdash_body_coding(ngx_str_t *value,
    ngx_uint_t decode, ngx_http_flowdash_media_t *media);


static ngx_int_t
ngx_http_flowdash_body_read_file(ngx_http_request_t *r, ngx_buf_t *b,
    u_char *p, size_t size, off_t offset)
{
    ssize_t  n;

    n = ngx_read_file(b->file, p, size, offset);

    if (n == NGX_ERROR || (size_t) n != size) {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                      "flowdash: could not read \"%V\" back",
                      &b->file->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_body_exists(ngx_http_request_t *r)
{
    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return 1;
    }

#if (NGX_HTTP_V2)

    if (r->stream && !r->stream->in_closed
        && r->headers_in.content_length_n == -1)
    {
        return 1;
    }

#endif

    return ngx_http_flowdash_body_length(r) != 0;
}


void
ngx_http_flowdash_body_leave(ngx_http_request_t *r)
{
    if (r->request_body || !ngx_http_flowdash_body_exists(r)) {
        return;
    }

    r->keepalive = 0;
    r->lingering_close = 1;
    r->expect_tested = 1;

    if (r->ngx_http_flowdash_compat_discarding_body) {

        /* nginx counts it down in r->headers_in, which may change */

        r->read_event_handler = ngx_http_block_reading;
        r->ngx_http_flowdash_compat_discarding_body = 0;
        r->main->count--;
    }
}


off_t
ngx_http_flowdash_body_length(ngx_http_request_t *r)
{
    off_t         len;
    ngx_chain_t  *cl;

    len = 0;

    for (cl = r->request_body ? r->request_body->bufs : NULL;
         cl;
         cl = cl->next)
    {
        len += ngx_buf_size(cl->buf);
    }

    return len;
}


ngx_int_t
ngx_http_flowdash_body_piece(ngx_http_request_t *r,
    ngx_http_flowdash_pieces_t *pieces, ngx_str_t *piece)
{
    size_t      size;
    ngx_buf_t  *b;

    if (!pieces->begun) {
        pieces->begun = 1;
        pieces->cl = r->request_body ? r->request_body->bufs : NULL;
        pieces->offset = 0;
    }

    while (pieces->cl) {

        b = pieces->cl->buf;

        if (pieces->offset == ngx_buf_size(b)) {
            pieces->cl = pieces->cl->next;
            pieces->offset = 0;
            continue;
        }

        if (pieces->since_yield >= NGX_HTTP_FLOWDASH_BODY_YIELD) {
            pieces->since_yield = 0;
            return NGX_AGAIN;
        }

        size = ngx_min(ngx_buf_size(b) - pieces->offset,
                       NGX_HTTP_FLOWDASH_BODY_PIECE);

        pieces->since_yield += size;

        if (ngx_buf_in_memory(b)) {
            piece->data = b->pos + pieces->offset;
            piece->len = size;
            pieces->offset += size;
            return NGX_OK;
        }

        if (pieces->buf == NULL) {
            pieces->buf = ngx_palloc(r->pool, NGX_HTTP_FLOWDASH_BODY_PIECE);
            if (pieces->buf == NULL) {
                return NGX_ERROR;
            }
        }

        if (ngx_http_flowdash_body_read_file(r, b, pieces->buf, size,
                                             b->file_pos + pieces->offset)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        pieces->offset += size;

        piece->data = pieces->buf;
        piece->len = size;

        return NGX_OK;
    }

    return NGX_DONE;
}


void
ngx_http_flowdash_body_media(ngx_http_request_t *r, ngx_uint_t decode,
    ngx_array_t *types, ngx_http_flowdash_media_t *media)
{
    ngx_uint_t        i, n, codings;
    const char       *charset;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(media, sizeof(ngx_http_flowdash_media_t));
    media->status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;

    n = 0;
    codings = 0;
    charset = NULL;

    i = 0;
    part = &r->headers_in.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (ngx_http_flowdash_text_is(&h->key, "Content-Type")) {
            n++;
            ngx_http_flowdash_body_content_type(&h->value, types, media,
                                                &charset);

        } else if (ngx_http_flowdash_text_is(&h->key, "Content-Encoding")) {
            codings += ngx_http_flowdash_body_coding(&h->value, decode, media);
        }
    }

    if (ngx_http_flowdash_body_length(r) == 0) {

        /* some apps decode the query, too, in the charset of the body */

        media->gzip = 0;
        media->error = (r->args.len && !media->ascii) ? charset : NULL;

        if (n != 1) {
            media->type = NGX_HTTP_FLOWDASH_UNKNOWN;
        }

    } else if (codings != media->gzip) {
        media->error = "the request's body has a Content-Encoding "
                       "that is not decoded";

    } else if (n != 1) {
        media->error = "the request has no Content-Type, or several";

    } else if (charset
               && !(media->ascii
                    && media->type == NGX_HTTP_FLOWDASH_URLENCODED))
    {
        media->error = charset;

    } else if (media->type == NGX_HTTP_FLOWDASH_MULTIPART
               && ngx_http_flowdash_multipart_media_boundary(
                      &r->headers_in.content_type->value, &media->boundary,
                      &media->error)
                  != NGX_OK)
    {
        media->status = NGX_HTTP_BAD_REQUEST;
    }
}


static void
ngx_http_flowdash_body_content_type(ngx_str_t *value, ngx_array_t *types,
    ngx_http_flowdash_media_t *media, const char **charset)
{
    ngx_str_t                         name;
    ngx_http_flowdash_form_verdict_e  verdict;

    if (types == NULL && ngx_http_flowdash_text_is(value, "application/json"))
    {
        /* nothing behind the name that would have to be judged */

        media->type = NGX_HTTP_FLOWDASH_JSON;
        return;
    }

    verdict = ngx_http_flowdash_multipart_media(value, &name);

    if (verdict == NGX_HTTP_FLOWDASH_FORM_CHARSET) {
        media->ascii = (*charset == NULL || media->ascii)
                       && ngx_http_flowdash_multipart_media_is_ascii(value);

        *charset = "the request's Content-Type names a charset other than "
                   "UTF-8";
    }

    if (verdict == NGX_HTTP_FLOWDASH_FORM_MALFORMED) {
        media->error = "the request's Content-Type is malformed";
        return;
    }

    media->type = ngx_http_flowdash_body_type(&name);

    if (media->type == NGX_HTTP_FLOWDASH_UNKNOWN) {
        media->error = "the request's Content-Type is neither JSON nor a form";

    } else if (ngx_http_flowdash_body_is_two(value, media->type)) {
        media->error = "the request's Content-Type names two kinds of bodies";

    } else if (types && !ngx_http_flowdash_body_is_listed(&name, types)) {
        media->error = "flowdash_types does not name the request's "
                       "Content-Type";
    }
}


ngx_http_flowdash_type_e
ngx_http_flowdash_body_type(ngx_str_t *name)
{
    if (ngx_http_flowdash_text_is_json_name(name)) {
        return NGX_HTTP_FLOWDASH_JSON;
    }

    if (ngx_http_flowdash_text_is(name, "application/x-www-form-urlencoded")) {
        return NGX_HTTP_FLOWDASH_URLENCODED;
    }

    if (ngx_http_flowdash_text_is(name, "multipart/form-data")) {
        return NGX_HTTP_FLOWDASH_MULTIPART;
    }

    return NGX_HTTP_FLOWDASH_UNKNOWN;
}


/*
 * Some apps look for the type of a form, or for "json", anywhere in the
 * header: in a type that ends in "+json", or in a parameter.  A boundary is
 * random, and may have "json" in it.
 */

static ngx_uint_t
ngx_http_flowdash_body_is_two(ngx_str_t *value, ngx_http_flowdash_type_e type)
{
    u_char  *p, *last;

    p = value->data;
    last = p + value->len;

    switch (type) {

    case NGX_HTTP_FLOWDASH_JSON:
        return ngx_http_flowdash_multipart_media_count(p, last, "urlencoded")
               || ngx_http_flowdash_multipart_media_count(p, last,
                                                          "multipart");

    case NGX_HTTP_FLOWDASH_URLENCODED:
        return ngx_http_flowdash_multipart_media_count(p, last, "json")
               || ngx_http_flowdash_multipart_media_count(p, last,
                                                          "multipart");

    default:
        return ngx_http_flowdash_multipart_media_count(p, last, "urlencoded")
               != 0;
    }
}


static ngx_uint_t
ngx_http_flowdash_body_is_listed(ngx_str_t *name, ngx_array_t *types)
{
    ngx_str_t   *type;
    ngx_uint_t   i;

    type = types->elts;

    for (i = 0; i < types->nelts; i++) {
        if (name->len == type[i].len
            && ngx_strncasecmp(name->data, type[i].data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_body_may_be_form(ngx_array_t *types)
{
    ngx_str_t                 *type;
    ngx_uint_t                 i;
    ngx_http_flowdash_type_e   kind;

    if (types == NULL) {
        return 1;
    }

    type = types->elts;

    for (i = 0; i < types->nelts; i++) {

        kind = ngx_http_flowdash_body_type(&type[i]);

        if (kind != NGX_HTTP_FLOWDASH_JSON
            && kind != NGX_HTTP_FLOWDASH_UNKNOWN)
        {
            return 1;
        }
    }

    return 0;
}


/* returns whether the body is encoded, and sets media->gzip if by gzip */

static ngx_uint_t
ngx_http_flowdash_body_coding(ngx_str_t *value, ngx_uint_t decode,
    ngx_http_flowdash_media_t *media)
{
    if (value->len == 0 || ngx_http_flowdash_text_is(value, "identity")) {
        return 0;
    }

    if (decode && (ngx_http_flowdash_text_is(value, "gzip")
                   || ngx_http_flowdash_text_is(value, "x-gzip")))
    {
        media->gzip = 1;
    }

    return 1;
}
