
/*
 * Secrets in a text that is stored: markers in their place, and the text in
 * pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_marker.h>


#define NGX_HTTP_FLOWDASH_MARKER_MAX  0xffff


static u_char *ngx_http_flowdash_marker_find(
    ngx_http_flowdash_markers_t *markers, u_char *p, u_char *last,
    ngx_uint_t *n);
static ngx_int_t ngx_http_flowdash_marker_push(ngx_array_t *pieces,
    ngx_http_flowdash_piece_e kind,
    ngx_http_flowdash_piece_encoding_e encoding, u_char *p, size_t len,
    ngx_pool_t *pool);


ngx_int_t
ngx_http_flowdash_marker_init(ngx_http_flowdash_markers_t *markers,
    ngx_pool_t *pool)
{
    markers->pool = pool;
    markers->lost = NULL;
    markers->variables = 0;

    return ngx_array_init(&markers->names, pool, 4, sizeof(ngx_str_t));
}


ngx_int_t
ngx_http_flowdash_marker_add(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *name, ngx_str_t *marker)
{
    u_char      *p, n[2];
    ngx_str_t   *slot;
    ngx_uint_t   i;

    i = markers->names.nelts;

    if (i > NGX_HTTP_FLOWDASH_MARKER_MAX) {
        return NGX_ERROR;
    }

    /* mostly, there is none */

    if (i == 0 && ngx_http_flowdash_id_execution(markers->prefix) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(markers->pool, NGX_HTTP_FLOWDASH_MARKER_LEN);
    slot = ngx_array_push(&markers->names);

    if (p == NULL || slot == NULL) {
        return NGX_ERROR;
    }

    *slot = *name;

    marker->data = p;
    marker->len = NGX_HTTP_FLOWDASH_MARKER_LEN;

    n[0] = (u_char) (i >> 8);
    n[1] = (u_char) (i & 0xff);

    p = ngx_cpymem(p, markers->prefix, NGX_HTTP_FLOWDASH_MARKER_PREFIX_LEN);
    (void) ngx_hex_dump(p, n, sizeof(n));

    return NGX_OK;
}


void
ngx_http_flowdash_marker_check(ngx_http_flowdash_markers_t *markers,
    ngx_uint_t first, ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_str_t   *name;
    ngx_uint_t   i, n;

    name = markers->names.elts;
    last = text->data + text->len;

    for (i = first; i < markers->names.nelts; i++) {

        for (p = text->data; p < last; p += NGX_HTTP_FLOWDASH_MARKER_LEN) {

            p = ngx_http_flowdash_marker_find(markers, p, last, &n);

            if (p == NULL || n == i) {
                break;
            }
        }

        if (p == NULL || p >= last) {
            markers->lost = &name[i];
            return;
        }
    }
}


ngx_int_t
ngx_http_flowdash_marker_split(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *text, ngx_http_flowdash_piece_encoding_e encoding,
    ngx_array_t *pieces, ngx_pool_t *pool)
{
    u_char      *p, *last, *marker;
    ngx_str_t   *name;
    ngx_uint_t   n;

    name = markers->names.elts;
    last = text->data + text->len;

    for (p = text->data; p < last; p = marker + NGX_HTTP_FLOWDASH_MARKER_LEN) {

        marker = ngx_http_flowdash_marker_find(markers, p, last, &n);

        if (marker == NULL) {
            return ngx_http_flowdash_marker_push(pieces,
                       NGX_HTTP_FLOWDASH_PIECE_TEXT,
                       NGX_HTTP_FLOWDASH_PIECE_RAW, p, last - p, pool);
        }

        if (marker > p
            && ngx_http_flowdash_marker_push(pieces,
                   NGX_HTTP_FLOWDASH_PIECE_TEXT, NGX_HTTP_FLOWDASH_PIECE_RAW,
                   p, marker - p, pool)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_flowdash_marker_push(pieces,
                NGX_HTTP_FLOWDASH_PIECE_SECRET, encoding, name[n].data,
                name[n].len, pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* returns the next marker, which is that of the read "n", or NULL */

static u_char *
ngx_http_flowdash_marker_find(ngx_http_flowdash_markers_t *markers, u_char *p,
    u_char *last, ngx_uint_t *n)
{
    ngx_int_t  i;

    if (markers->names.nelts == 0) {
        return NULL;
    }

    while (last - p >= NGX_HTTP_FLOWDASH_MARKER_LEN) {

        p = ngx_strlchr(p, last - NGX_HTTP_FLOWDASH_MARKER_LEN + 1,
                        markers->prefix[0]);
        if (p == NULL) {
            return NULL;
        }

        if (ngx_memcmp(p, markers->prefix, NGX_HTTP_FLOWDASH_MARKER_PREFIX_LEN)
            == 0)
        {
            i = ngx_hextoi(p + NGX_HTTP_FLOWDASH_MARKER_PREFIX_LEN, 4);

            if (i != NGX_ERROR && (ngx_uint_t) i < markers->names.nelts) {
                *n = i;
                return p;
            }
        }

        p++;
    }

    return NULL;
}


static ngx_int_t
ngx_http_flowdash_marker_push(ngx_array_t *pieces,
    ngx_http_flowdash_piece_e kind,
    ngx_http_flowdash_piece_encoding_e encoding, u_char *p, size_t len,
    ngx_pool_t *pool)
{
    ngx_http_flowdash_piece_t  *piece;

    piece = ngx_array_push(pieces);
    if (piece == NULL) {
        return NGX_ERROR;
    }

    piece->kind = kind;
    piece->encoding = encoding;
    piece->text.len = len;

    piece->text.data = ngx_pnalloc(pool, len);
    if (piece->text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(piece->text.data, p, len);

    return NGX_OK;
}
