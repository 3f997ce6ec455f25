
/*
 * What the files of the multipart reader share: copies, buffers, refusals.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_state.h>


ngx_int_t
ngx_http_flowdash_multipart_state_copy(ngx_http_flowdash_multipart_t *mp,
    ngx_str_t *s)
{
    u_char  *p;

    if (s->len == 0) {
        s->data = (u_char *) "";
        return NGX_OK;
    }

    p = ngx_pnalloc(mp->form->pool, s->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, s->data, s->len);
    s->data = p;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_multipart_state_append(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_multipart_buf_t *b, u_char *p, size_t len)
{
    u_char  *data;
    size_t   size;

    if (b->size - b->len < len) {

        size = b->size ? b->size : 256;

        while (size - b->len < len) {
            size *= 2;
        }

        data = ngx_pnalloc(mp->form->pool, size);
        if (data == NULL) {
            return NGX_ERROR;
        }

        if (b->len) {
            ngx_memcpy(data, b->data, b->len);
        }

        if (b->size > mp->form->pool->max) {
            (void) ngx_pfree(mp->form->pool, b->data);
        }

        b->data = data;
        b->size = size;
    }

    ngx_memcpy(b->data + b->len, p, len);
    b->len += len;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_multipart_state_malformed(ngx_http_flowdash_multipart_t *mp,
    const char *error)
{
    return ngx_http_flowdash_form_refuse(mp->form,
                                         NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                         mp->offset, error);
}


ngx_int_t
ngx_http_flowdash_multipart_state_refuse(ngx_http_flowdash_multipart_t *mp,
    ngx_http_flowdash_form_verdict_e verdict, const char *error)
{
    return ngx_http_flowdash_form_refuse(mp->form, verdict, mp->start, error);
}
