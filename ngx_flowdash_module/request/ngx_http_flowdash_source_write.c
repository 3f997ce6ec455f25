
/*
 * Writes the changed task into the body and the query of the request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_task_write.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_urlencoded.h>
#include <ngx_http_flowdash_form_edit.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_replace.h>
#include <ngx_http_flowdash_replace_headers.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_source_write.h>


static ngx_int_t ngx_http_flowdash_source_write_distribute(
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_write_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
static ngx_int_t ngx_http_flowdash_source_write_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


ngx_int_t
ngx_http_flowdash_source_write(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (ctx->task != &src->body.task
        && ngx_http_flowdash_source_write_distribute(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (src->query.task.changed
        && ngx_http_flowdash_source_write_query(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (src->body.task.changed) {
        return ngx_http_flowdash_source_write_body(r, ctx);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_source_write_copy(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    return ngx_http_flowdash_replace_copy(r, &ctx->sources->copy);
}


/* gives each source its own fields, and one of them the new fields */

static ngx_int_t
ngx_http_flowdash_source_write_distribute(ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                    i, found;
    ngx_http_flowdash_field_t    *field, room;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    for (i = 0; (field = ngx_http_flowdash_task_get(ctx->task, i, &room)); i++)
    {

        found = 0;

        if (ngx_http_flowdash_task_has(&src->body.task, &field->name)) {
            found = 1;

            if (ngx_http_flowdash_task_set(&src->body.task, field) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (src->query.form
            && ngx_http_flowdash_task_has(&src->query.task, &field->name))
        {
            found = 1;

            if (ngx_http_flowdash_task_set(&src->query.task, field)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (!found && field->changed
            && ngx_http_flowdash_task_set(&src->target->task, field)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_source_write_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_array_t                  *edits;
    ngx_http_flowdash_form_t     *form;
    ngx_http_flowdash_task_t     *task;
    ngx_http_flowdash_slices_t    slices;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    form = src->body.form;
    task = &src->body.task;

    if (form) {
        edits = ngx_http_flowdash_form_edits(form, task);
        if (edits == NULL) {
            return NGX_ERROR;
        }

        if (edits->nelts == 0) {
            return NGX_OK;
        }

        if (form->boundary.len && !src->media.gzip) {
            return ngx_http_flowdash_replace_edits(r, edits, &src->copy);
        }

        if (ngx_http_flowdash_form_urlencoded_write(form, &src->body.text,
                                                    edits, &slices)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        if (ngx_http_flowdash_task_write_slices(
                ngx_http_flowdash_task_write_text, task, r->pool, &slices)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!src->has_body
            && ngx_http_flowdash_replace_headers_set_json(r) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_flowdash_replace_text(r, &slices, src->media.gzip,
                                          &src->copy);
}


static ngx_int_t
ngx_http_flowdash_source_write_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char                       *p, *last;
    ngx_str_t                     text, uri;
    ngx_array_t                  *edits;
    ngx_http_flowdash_slices_t    slices;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    edits = ngx_http_flowdash_form_edits(src->query.form, &src->query.task);
    if (edits == NULL) {
        return NGX_ERROR;
    }

    if (edits->nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_form_urlencoded_write(src->query.form,
                                                &src->query.text, edits,
                                                &slices)
        != NGX_OK
        || ngx_http_flowdash_slices_text(&slices, r->pool, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash replace query: \"%V\"", &text);

    /* keep the path as the client has sent it */

    uri = r->unparsed_uri;
    last = uri.data + uri.len;
    p = ngx_strlchr(uri.data, last, '?');

    if (p && (size_t) (last - p - 1) == r->args.len
        && ngx_memcmp(p + 1, r->args.data, r->args.len) == 0)
    {
        p++;

        r->unparsed_uri.len = p - uri.data + text.len;

        r->unparsed_uri.data = ngx_pnalloc(r->pool, r->unparsed_uri.len);
        if (r->unparsed_uri.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(r->unparsed_uri.data, uri.data, p - uri.data);
        ngx_memcpy(p, text.data, text.len);

    } else {
        r->valid_unparsed_uri = 0;
    }

    r->args = text;

    ngx_http_flowdash_replace_headers_invalidate_variables(r);

    return NGX_OK;
}
