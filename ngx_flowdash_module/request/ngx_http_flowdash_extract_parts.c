
/*
 * flowdash_extract from multipart/form-data: a reader for each value, which
 * gets the same pieces of the body as the reader of the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_extract_value.h>
#include <ngx_http_flowdash_extract_parts.h>


ngx_int_t
ngx_http_flowdash_extract_parts_begin(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                       i;
    ngx_array_t                     *extracts;
    ngx_http_flowdash_form_t        *form;
    ngx_http_flowdash_sources_t     *src;
    ngx_http_flowdash_extract_t     *extract;
    ngx_http_flowdash_multipart_t  **readers;

    src = ctx->sources;
    extracts = ctx->conf->extracts;

    if (extracts == NULL) {
        return NGX_OK;
    }

    readers = ngx_pcalloc(r->pool, extracts->nelts
                                   * sizeof(ngx_http_flowdash_multipart_t *));
    if (readers == NULL) {
        return NGX_ERROR;
    }

    extract = extracts->elts;

    for (i = 0; i < extracts->nelts; i++) {

        if (extract[i].from > NGX_HTTP_FLOWDASH_FROM_QUERY) {
            continue;
        }

        form = ngx_http_flowdash_extract_value_create_form(r, ctx, &extract[i],
                                                     &src->media.boundary);
        if (form == NULL) {
            return NGX_ERROR;
        }

        readers[i] = ngx_http_flowdash_multipart_create(form);
        if (readers[i] == NULL) {
            return NGX_ERROR;
        }
    }

    src->readers = readers;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_extract_parts(ngx_http_flowdash_ctx_t *ctx, ngx_str_t *piece)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_sources_t    *src;
    ngx_http_flowdash_multipart_t  *reader;

    src = ctx->sources;

    for (i = 0; src->readers && i < ctx->conf->extracts->nelts; i++) {

        reader = src->readers[i];

        if (reader && !reader->form->verdict
            && ngx_http_flowdash_multipart_read(reader, piece->data,
                                                piece->len)
               == NGX_ERROR)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_flowdash_extract_parts_end(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_sources_t    *src;
    ngx_http_flowdash_multipart_t  *reader;

    src = ctx->sources;

    for (i = 0; src->readers && i < ctx->conf->extracts->nelts; i++) {

        reader = src->readers[i];

        if (reader && !reader->form->verdict) {
            (void) ngx_http_flowdash_multipart_end(reader);
        }
    }
}
