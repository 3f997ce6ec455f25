
/*
 * The client's request body: read as one piece, replaced by the changed one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


static ngx_int_t ngx_http_flowdash_body_set(ngx_http_request_t *r,
    u_char *data, size_t len);
static ngx_int_t ngx_http_flowdash_body_to_file(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_body_headers(ngx_http_request_t *r,
    ngx_uint_t has_body);
static ngx_int_t ngx_http_flowdash_body_set_header(ngx_http_request_t *r,
    ngx_table_elt_t **header, const char *name, ngx_str_t *value);
static void ngx_http_flowdash_body_forget_variables(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_body_remove_headers(
    ngx_http_request_t *r, ngx_uint_t drop);
static ngx_uint_t ngx_http_flowdash_body_stale(ngx_table_elt_t *h,
    ngx_uint_t drop);


ngx_int_t
ngx_http_flowdash_body_read(ngx_http_request_t *r, ngx_str_t *text)
{
    u_char       *p;
    off_t         len;
    size_t        size;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *body;

    ngx_str_null(text);

    body = r->request_body ? r->request_body->bufs : NULL;
    len = 0;

    for (cl = body; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    if (len == 0) {
        return NGX_OK;
    }

    if (ngx_buf_in_memory(body->buf) && ngx_buf_size(body->buf) == len) {

        /* one piece already, if a special buffer at the end does not count */

        text->data = body->buf->pos;
        text->len = len;
        return NGX_OK;
    }

    text->data = ngx_pnalloc(r->pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (cl = body; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (!b->in_file) {
            continue;
        }

        size = b->file_last - b->file_pos;

        n = ngx_read_file(b->file, p, size, b->file_pos);

        if (n == NGX_ERROR || (size_t) n != size) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "flowdash: could not read \"%V\" back",
                          &b->file->name);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p += size;
    }

    text->len = p - text->data;

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_body_is_json(ngx_http_request_t *r, ngx_str_t *detail)
{
    ngx_str_t        *value;
    ngx_uint_t        i, types;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *type;

    types = 0;
    type = r->headers_in.content_type;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            value = &h[i].value;

            if (h[i].key.len == sizeof("Content-Type") - 1
                && ngx_strcasecmp(h[i].key.data, (u_char *) "Content-Type")
                   == 0)
            {
                types++;
            }

            if (h[i].key.len == sizeof("Content-Encoding") - 1
                && ngx_strcasecmp(h[i].key.data,
                                  (u_char *) "Content-Encoding") == 0
                && (value->len != sizeof("identity") - 1
                    || ngx_strncasecmp(value->data, (u_char *) "identity",
                                       value->len) != 0))
            {
                ngx_str_set(detail, "the request's body has a "
                                    "Content-Encoding");
                return 0;
            }
        }
    }

    if (type == NULL || types != 1
        || !ngx_http_flowdash_json_media_type(&type->value))
    {
        ngx_str_set(detail, "the request's Content-Type is not JSON");
        return 0;
    }

    return 1;
}


ngx_int_t
ngx_http_flowdash_body_replace(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    u_char  *data, *last;

    data = ngx_pnalloc(r->pool,
                       ngx_http_flowdash_task_text_length(&ctx->task));
    if (data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_http_flowdash_task_write_text(data, &ctx->task);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash replace body: %uz", (size_t) (last - data));

    if (ngx_http_flowdash_body_set(r, data, last - data) != NGX_OK
        || ngx_http_flowdash_body_headers(r, ctx->has_body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_body_forget_variables(r);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_body_set(ngx_http_request_t *r, u_char *data, size_t len)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    /* an upstream that repeats the request goes back to b->start */

    b->start = data;
    b->pos = data;
    b->last = data + len;
    b->end = b->last;
    b->temporary = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    rb = r->request_body;

    if (rb == NULL) {

        /* discarded for an error page that led to an action */

        rb = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
        if (rb == NULL) {
            return NGX_ERROR;
        }

        r->request_body = rb;
    }

    rb->bufs = cl;
    rb->buf = b;

    r->headers_in.content_length_n = len;

    if (rb->temp_file == NULL) {
        return NGX_OK;
    }

    if (r->request_body_in_file_only) {
        return ngx_http_flowdash_body_to_file(r);
    }

    rb->temp_file = NULL;

    return NGX_OK;
}


/* for those who take the body as a file: dav, client_body_in_file_only */

static ngx_int_t
ngx_http_flowdash_body_to_file(ngx_http_request_t *r)
{
    ngx_buf_t                 *b;
    ngx_temp_file_t           *tf;
    ngx_http_request_body_t   *rb;
    ngx_http_core_loc_conf_t  *clcf;

    tf = ngx_pcalloc(r->pool, sizeof(ngx_temp_file_t));
    b = ngx_calloc_buf(r->pool);

    if (tf == NULL || b == NULL) {
        return NGX_ERROR;
    }

    rb = r->request_body;
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

    if (ngx_write_chain_to_temp_file(tf, rb->bufs) == NGX_ERROR) {
        return NGX_ERROR;
    }

    b->in_file = 1;
    b->file = &tf->file;
    b->file_last = r->headers_in.content_length_n;
    b->last_buf = 1;

    rb->bufs->buf = b;
    rb->buf = NULL;
    rb->temp_file = tf;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_body_headers(ngx_http_request_t *r, ngx_uint_t has_body)
{
    ngx_str_t  value;

    if (ngx_http_flowdash_body_remove_headers(r, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_in.transfer_encoding = NULL;
    r->headers_in.chunked = 0;

    value.data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%O", r->headers_in.content_length_n)
                - value.data;

    if (ngx_http_flowdash_body_set_header(r, &r->headers_in.content_length,
                                          "Content-Length", &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (has_body) {
        return NGX_OK;
    }

    ngx_str_set(&value, "application/json");

    return ngx_http_flowdash_body_set_header(r, &r->headers_in.content_type,
                                             "Content-Type", &value);
}


ngx_int_t
ngx_http_flowdash_body_drop(ngx_http_request_t *r)
{
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    if (rb) {
        rb->bufs = NULL;
        rb->buf = NULL;
        rb->temp_file = NULL;
    }

    r->method = NGX_HTTP_GET;
    ngx_str_set(&r->method_name, "GET");

    r->headers_in.content_length_n = -1;
    r->headers_in.content_length = NULL;
    r->headers_in.content_type = NULL;
    r->headers_in.transfer_encoding = NULL;
    r->headers_in.chunked = 0;

    ngx_http_flowdash_body_forget_variables(r);

    return ngx_http_flowdash_body_remove_headers(r, 1);
}


static void
ngx_http_flowdash_body_forget_variables(ngx_http_request_t *r)
{
    ngx_int_t                      *index;
    ngx_uint_t                      i;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);
    index = fmcf->body_variables.elts;

    for (i = 0; i < fmcf->body_variables.nelts; i++) {
        r->variables[index[i]].valid = 0;
        r->variables[index[i]].not_found = 0;
    }
}


static ngx_int_t
ngx_http_flowdash_body_set_header(ngx_http_request_t *r,
    ngx_table_elt_t **header, const char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    if (*header) {
        (*header)->value = *value;
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    *header = h;

    return NGX_OK;
}


/*
 * Takes the stale headers out of the list.  There are pointers to the others:
 * these keep their places, and the list's parts become the runs between.
 */

static ngx_int_t
ngx_http_flowdash_body_remove_headers(ngx_http_request_t *r, ngx_uint_t drop)
{
    ngx_uint_t        i, run;
    ngx_list_t       *headers;
    ngx_list_part_t  *part, *last, old;
    ngx_table_elt_t  *h;

    headers = &r->headers_in.headers;

    old = headers->part;

    last = &headers->part;
    last->nelts = 0;
    last->next = NULL;

    for (part = &old; part; part = part->next) {

        h = part->elts;
        run = 0;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_flowdash_body_stale(&h[i], drop)) {
                run = 0;
                continue;
            }

            if (run) {
                last->nelts++;
                continue;
            }

            if (last->nelts) {
                last->next = ngx_palloc(r->pool, sizeof(ngx_list_part_t));
                if (last->next == NULL) {
                    return NGX_ERROR;
                }

                last = last->next;
                last->next = NULL;
            }

            last->elts = &h[i];
            last->nelts = 1;
            run = 1;
        }
    }

    if (last->nelts == 0) {
        return ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t));
    }

    /* the last part counts as full, what is pushed gets a new one */

    headers->last = last;
    headers->nalloc = last->nelts;

    return NGX_OK;
}


/*
 * Headers that describe the old bytes, or how they came; and those of any
 * body when it is dropped.
 */

static ngx_uint_t
ngx_http_flowdash_body_stale(ngx_table_elt_t *h, ngx_uint_t drop)
{
    ngx_str_t  *name;

    static ngx_str_t  names[] = {
        ngx_string("transfer-encoding"),
        ngx_string("content-md5"),
        ngx_string("digest"),
        ngx_string("content-digest"),
        ngx_string("repr-digest"),
        ngx_null_string
    };

    if (drop && h->key.len > sizeof("Content-") - 1
        && ngx_strncasecmp(h->key.data, (u_char *) "Content-",
                           sizeof("Content-") - 1)
           == 0)
    {
        return 1;
    }

    for (name = names; name->len; name++) {
        if (h->key.len == name->len
            && ngx_strncasecmp(h->key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
