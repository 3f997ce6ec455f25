
/*
 * Replaces the client's request body, in memory or in a file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_replace_headers.h>
#include <ngx_http_flowdash_replace.h>


/* the position in a body from which the next slice is copied */

typedef struct {
    ngx_chain_t  *cl;
    off_t         offset;    /* of the buffer of "cl", in the body */
} ngx_http_flowdash_replace_place_t;


static ngx_int_t ngx_http_flowdash_replace_slice(ngx_http_request_t *r,
    ngx_http_flowdash_replace_place_t *place, off_t start, off_t last,
    ngx_chain_t ***ll);
static ngx_int_t ngx_http_flowdash_replace_add(ngx_http_request_t *r,
    ngx_str_t *text, ngx_chain_t ***ll);
static ngx_int_t ngx_http_flowdash_replace_set(ngx_http_request_t *r,
    ngx_chain_t *body);
static ngx_int_t ngx_http_flowdash_replace_copy_start(ngx_http_request_t *r,
    ngx_http_flowdash_copy_t *copy, ngx_chain_t *body);


ngx_int_t
ngx_http_flowdash_replace_text(ngx_http_request_t *r,
    ngx_http_flowdash_slices_t *text, ngx_uint_t decoded,
    ngx_http_flowdash_copy_t *copy)
{
    ngx_chain_t  *body;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash replace body: %uz", text->len);

    if (ngx_http_flowdash_slices_chain(text, r->pool, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_in.content_length_n = text->len;

    if (ngx_http_flowdash_replace_headers(r, decoded) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body && r->request_body && r->request_body->temp_file
        && r->request_body_in_file_only)
    {
        return ngx_http_flowdash_replace_copy_start(r, copy, body);
    }

    return ngx_http_flowdash_replace_set(r, body);
}


ngx_int_t
ngx_http_flowdash_replace_edits(ngx_http_request_t *r, ngx_array_t *edits,
    ngx_http_flowdash_copy_t *copy)
{
    off_t                               len, offset;
    ngx_uint_t                          i;
    ngx_chain_t                        *body, **ll, *cl;
    ngx_http_flowdash_main_conf_t      *fmcf;
    ngx_http_flowdash_form_edit_t      *edit;
    ngx_http_flowdash_replace_place_t   place;

    len = ngx_http_flowdash_body_length(r);

    place.cl = r->request_body->bufs;
    place.offset = 0;

    body = NULL;
    ll = &body;

    edit = edits->elts;
    offset = 0;

    for (i = 0; i < edits->nelts; i++) {

        if (ngx_http_flowdash_replace_slice(r, &place, offset, edit[i].start,
                                            &ll)
            != NGX_OK
            || ngx_http_flowdash_replace_add(r, &edit[i].text, &ll) != NGX_OK)
        {
            return NGX_ERROR;
        }

        offset = edit[i].last;
    }

    if (ngx_http_flowdash_replace_slice(r, &place, offset, len, &ll)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = 0;

    for (cl = body; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);

        if (cl->next == NULL) {
            cl->buf->last_buf = 1;
        }
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash replace body: %O, edits:%ui", len, edits->nelts);

    r->headers_in.content_length_n = len;

    if (ngx_http_flowdash_replace_headers(r, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    /*
     * When nginx resends a request to another upstream, it starts each file
     * buffer where the previous one ends, and would send what was cut out.
     */

    if (body && r->request_body->temp_file
        && (r->request_body_in_file_only || fmcf->non_idempotent
            || !(r->method & (NGX_HTTP_POST|NGX_HTTP_LOCK|NGX_HTTP_PATCH))))
    {
        return ngx_http_flowdash_replace_copy_start(r, copy, body);
    }

    return ngx_http_flowdash_replace_set(r, body);
}


/*
 * Adds the bytes from "start" to "last" of a body.  "place" must not be after
 * "start", and moves on.
 */

static ngx_int_t
ngx_http_flowdash_replace_slice(ngx_http_request_t *r,
    ngx_http_flowdash_replace_place_t *place, off_t start, off_t last,
    ngx_chain_t ***ll)
{
    off_t         size, from, to;
    ngx_buf_t    *b, *old;
    ngx_chain_t  *cl;

    while (place->cl && start < last) {

        old = place->cl->buf;
        size = ngx_buf_size(old);

        if (start >= place->offset + size) {
            place->cl = place->cl->next;
            place->offset += size;
            continue;
        }

        from = start - place->offset;
        to = ngx_min(last - place->offset, size);

        b = ngx_calloc_buf(r->pool);
        cl = ngx_alloc_chain_link(r->pool);

        if (b == NULL || cl == NULL) {
            return NGX_ERROR;
        }

        if (ngx_buf_in_memory(old)) {
            b->pos = old->pos + from;
            b->last = old->pos + to;
            b->start = b->pos;
            b->end = b->last;
            b->temporary = 1;

        } else {
            b->file = old->file;
            b->file_pos = old->file_pos + from;
            b->file_last = old->file_pos + to;
            b->in_file = 1;
        }

        cl->buf = b;
        cl->next = NULL;

        **ll = cl;
        *ll = &cl->next;

        start = place->offset + to;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_replace_add(ngx_http_request_t *r, ngx_str_t *text,
    ngx_chain_t ***ll)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (text->len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    /* nginx goes back to b->start when it resends the request */

    b->start = text->data;
    b->pos = text->data;
    b->last = text->data + text->len;
    b->end = b->last;
    b->temporary = 1;

    cl->buf = b;
    cl->next = NULL;

    **ll = cl;
    *ll = &cl->next;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_replace_set(ngx_http_request_t *r, ngx_chain_t *body)
{
    ngx_chain_t              *cl;
    ngx_temp_file_t          *tf;
    ngx_http_request_body_t  *rb;

    tf = NULL;

    for (cl = body; cl; cl = cl->next) {

        if (!cl->buf->in_file || r->request_body == NULL
            || r->request_body->temp_file == NULL)
        {
            continue;
        }

        /* the file is no longer the body: hide its name */

        tf = ngx_palloc(r->pool, sizeof(ngx_temp_file_t));
        if (tf == NULL) {
            return NGX_ERROR;
        }

        *tf = *r->request_body->temp_file;
        ngx_str_null(&tf->file.name);

        break;
    }

    rb = r->request_body;

    if (rb == NULL) {

        /* an error page that is an action: nginx has discarded the body */

        rb = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
        if (rb == NULL) {
            return NGX_ERROR;
        }

        r->request_body = rb;
    }

    rb->bufs = body;
    rb->buf = NULL;
    rb->temp_file = tf;

    return NGX_OK;
}


/*
 * Some need the body as a file: dav, client_body_in_file_only, and requests
 * that nginx may resend.
 */

static ngx_int_t
ngx_http_flowdash_replace_copy_start(ngx_http_request_t *r,
    ngx_http_flowdash_copy_t *copy, ngx_chain_t *body)
{
    ngx_temp_file_t           *tf;
    ngx_http_core_loc_conf_t  *clcf;

    tf = ngx_pcalloc(r->pool, sizeof(ngx_temp_file_t));
    if (tf == NULL) {
        return NGX_ERROR;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    tf->file.fd = NGX_INVALID_FILE;
    tf->file.log = r->connection->log;
    tf->path = clcf->client_body_temp_path;
    tf->pool = r->pool;
    tf->warn = "a changed request body is buffered to a temporary file";
    tf->log_level = r->request_body_file_log_level;
    tf->persistent = r->request_body_in_persistent_file;
    tf->clean = r->request_body_in_clean_file;

    if (r->request_body_file_group_access) {
        tf->access = 0660;
    }

    copy->file = tf;
    copy->body = body;

    /* body_piece() reads the new body, too */

    r->request_body->bufs = body;

    return ngx_http_flowdash_replace_copy(r, copy);
}


ngx_int_t
ngx_http_flowdash_replace_copy(ngx_http_request_t *r,
    ngx_http_flowdash_copy_t *copy)
{
    ngx_int_t                 rc;
    ngx_buf_t                *b, buf;
    ngx_str_t                 piece;
    ngx_chain_t               cl;
    ngx_http_request_body_t  *rb;

    for ( ;; ) {

        rc = ngx_http_flowdash_body_piece(r, &copy->pieces, &piece);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_memzero(&buf, sizeof(ngx_buf_t));

        buf.pos = piece.data;
        buf.last = piece.data + piece.len;
        buf.temporary = 1;

        cl.buf = &buf;
        cl.next = NULL;

        if (ngx_write_chain_to_temp_file(copy->file, &cl) == NGX_ERROR) {

            /* nginx has logged why: often, the disk is full */

            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        copy->file->offset += piece.len;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->in_file = 1;
    b->file = &copy->file->file;
    b->file_last = copy->file->offset;
    b->last_buf = 1;

    rb = r->request_body;

    copy->body->buf = b;
    copy->body->next = NULL;

    rb->bufs = copy->body;
    rb->buf = NULL;
    rb->temp_file = copy->file;

    return NGX_OK;
}
