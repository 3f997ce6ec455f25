
/*
 * A step: its condition, its request, and the subrequest into its location.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_exchange.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_follow.h>
#include <ngx_http_flowdash_payload.h>
#include <ngx_http_flowdash_headers.h>
#include <ngx_http_flowdash_identity.h>
#include <ngx_http_flowdash_subrequest.h>
#include <ngx_http_flowdash_step.h>


/* the name of a header that steps send as a rule */

typedef struct {
    ngx_str_t    name;
    ngx_str_t    lowcase;
    ngx_uint_t   hash;          /* 0: not yet known */
} ngx_http_flowdash_step_name_t;


static ngx_int_t ngx_http_flowdash_step_subrequest(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_step_body(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_step_headers_in(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);
static u_char *ngx_http_flowdash_step_add_header(ngx_http_request_t *sr,
    ngx_table_elt_t *h, ngx_str_t *name, ngx_str_t *value, u_char *lowcase);
static ngx_http_flowdash_step_name_t *ngx_http_flowdash_step_find_name(
    ngx_str_t *name);


static ngx_str_t  ngx_http_flowdash_post_method = ngx_string("POST");


ngx_int_t
ngx_http_flowdash_step_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex, **slot;
    ngx_http_flowdash_step_t     **steps;

    /* the last step is not to blame if memory runs out */

    ctx->exchange = NULL;

    ex = ngx_pcalloc(r->pool, sizeof(ngx_http_flowdash_exchange_t));
    if (ex == NULL) {
        return NGX_ERROR;
    }

    steps = ctx->conf->steps->elts;
    ex->step = steps[ctx->exchanges.nelts];
    ex->start = ngx_current_msec;

    slot = ngx_array_push(&ctx->exchanges);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = ex;
    ctx->exchange = ex;

    rc = ngx_http_flowdash_step_condition(r, ex);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_step_request(r, ctx, ex);
    }

    if (rc == NGX_DECLINED) {
        ex->done = 1;
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_step_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_http_flowdash_exchange_t  *ex;
    ngx_http_flowdash_loc_conf_t  *flcf;

    ex = ctx->exchange;

    if (ex->done) {
        return NGX_OK;
    }

    if ((ngx_msec_int_t) (ctx->deadline - ngx_current_msec) <= 0) {
        ex->error = NGX_HTTP_FLOWDASH_DEADLINE;
        ex->done = 1;
        return NGX_OK;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" starts, payload:%uz",
                   &ex->step->name, ex->payload.len);

    ngx_http_flowdash_follow_step_begins(ctx, ex);

    if (ngx_http_flowdash_step_subrequest(r, ex) != NGX_OK) {
        return NGX_ERROR;
    }

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    ngx_http_flowdash_subrequest_set_timer(r, ctx, flcf);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_step_condition(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                  rc;
    ngx_http_flowdash_value_t  value;

    if (ex->step->condition == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_value_test(r, ex->step->condition, &value);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (value.ambiguous && value.twice.data) {
        return ngx_http_flowdash_exchange_fail_text(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID, r->pool,
                   "flowdash_if depends on the field %V, which the task has "
                   "twice", &value.twice);
    }

    if (value.ambiguous) {
        return ngx_http_flowdash_exchange_fail(ex,
                   NGX_HTTP_FLOWDASH_REQUEST_INVALID,
                   "flowdash_if depends on a field that the task has twice, "
                   "or on an extracted value that is not a scalar");
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" is skipped", &ex->step->name);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_flowdash_step_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    rc = ngx_http_flowdash_payload(r, ctx, ex, flcf);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_flowdash_headers_default(r, ex, flcf) != NGX_OK
        || ngx_http_flowdash_identity_step(r, ctx, ex, &ex->headers) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_headers_set(r, ex, flcf);
}


void
ngx_http_flowdash_step_free_payloads(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_exchange_t  **ex;

    /*
     * What a step has started may continue after its end, and read its body: a
     * handler that cannot be stopped, or the subrequests of "mirror".  Each
     * holds a reference.
     */

    if (r->main->count != 1 || r->main->blocked) {
        return;
    }

    ex = ctx->exchanges.elts;

    for (i = ctx->freed; i < ctx->exchanges.nelts; i++) {

        /* the length is still needed: it is counted, and logged */

        ngx_http_flowdash_slices_free(&ex[i]->payload, r->pool);
    }

    ctx->freed = ctx->exchanges.nelts;
}


/*
 * A background subrequest leaves the connection to the main request, so that
 * the step's upstream does not react to what the client does meanwhile.
 */

static ngx_int_t
ngx_http_flowdash_step_subrequest(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_str_t                   uri;
    ngx_http_request_t         *sr;
    ngx_http_core_main_conf_t  *cmcf;

    ngx_str_set(&uri, "/");

    sr = ngx_http_flowdash_subrequest_create(r, ex, &uri, NULL);
    if (sr == NULL) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_subrequest_set_method(sr, NGX_HTTP_POST,
                                            &ngx_http_flowdash_post_method);

    if (ngx_http_flowdash_step_body(sr, ex) != NGX_OK
        || ngx_http_flowdash_step_headers_in(sr, ex) != NGX_OK)
    {
        ngx_http_flowdash_subrequest_undo(r, ex);
        return NGX_ERROR;
    }

#if (NGX_PCRE)
    sr->ncaptures = r->ncaptures;
    sr->captures_data = r->captures_data;

    if (ngx_http_flowdash_value_copy_captures(r, &sr->captures) != NGX_OK) {
        ngx_http_flowdash_subrequest_undo(r, ex);
        return NGX_ERROR;
    }
#endif

    /* enters the location as nginx enters a named one */

    sr->loc_conf = ex->step->loc_conf;
    sr->valid_location = 1;

    ngx_http_update_location_config(sr);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    sr->phase_handler = cmcf->phase_engine.location_rewrite_index;
    sr->write_event_handler = ngx_http_core_run_phases;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_step_body(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_request_body_t  *rb;

    rb = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));

    if (rb == NULL
        || ngx_http_flowdash_slices_chain(&ex->payload, sr->pool, &rb->bufs)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (rb->bufs && rb->bufs->next == NULL) {
        rb->buf = rb->bufs->buf;
    }

    sr->request_body = rb;

    return NGX_OK;
}


/*
 * The subrequest gets headers of its own: nginx's copy shares its list with
 * the client's request, and has the client's headers in it.  The length gets
 * its number only once the location is certain: wherever a "rewrite" leads,
 * nginx would compare it with client_max_body_size.
 */

static ngx_int_t
ngx_http_flowdash_step_headers_in(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    size_t                         len;
    u_char                        *p;
    ngx_str_t                      value;
    ngx_uint_t                     i, n;
    ngx_keyval_t                  *header;
    ngx_table_elt_t               *h;
    ngx_http_headers_in_t         *in;
    ngx_http_flowdash_loc_conf_t  *flcf;

    static ngx_str_t  length = ngx_string("Content-Length");

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];
    in = &sr->headers_in;

    ngx_memzero(in, sizeof(ngx_http_headers_in_t));

    in->content_length_n = -1;
    in->keep_alive_n = -1;

    /*
     * flowdash_call adds the headers of each single call by itself, and reads
     * the others from ex->headers.  It gets these too, as an "if" in the step
     * may have another handler answer.
     */

    if (flcf->url == NULL
        && ngx_http_flowdash_identity_call(sr->pool,
                                       &ngx_http_flowdash_get_ctx(sr)->trace,
                                       ex, &ex->headers)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    header = ex->headers.elts;
    n = ex->headers.nelts;

    len = length.len + NGX_SIZE_T_LEN;

    for (i = 0; i < n; i++) {
        len += header[i].key.len;
    }

    p = ngx_pnalloc(sr->pool, len);

    if (p == NULL
        || ngx_list_init(&in->headers, sr->pool, n + 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = in->headers.part.elts;
    in->headers.part.nelts = n + 1;

    for (i = 0; i < n; i++) {
        p = ngx_http_flowdash_step_add_header(sr, &h[i], &header[i].key,
                                              &header[i].value, p);
    }

    value.data = p;
    p = ngx_sprintf(p, "%uz", ex->payload.len);
    value.len = p - value.data;

    (void) ngx_http_flowdash_step_add_header(sr, &h[n], &length, &value, p);

    return NGX_OK;
}


void
ngx_http_flowdash_step_set_length(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    sr->headers_in.content_length_n = ex->payload.len;
}


/*
 * Writes the name in lower case to "lowcase", unless it is at hand.  Returns
 * the end of what it has written.
 */

static u_char *
ngx_http_flowdash_step_add_header(ngx_http_request_t *sr, ngx_table_elt_t *h,
    ngx_str_t *name, ngx_str_t *value, u_char *lowcase)
{
    ngx_http_flowdash_step_name_t  *found;

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key = *name;
    h->value = *value;

    found = ngx_http_flowdash_step_find_name(name);

    if (found) {
        h->lowcase_key = found->lowcase.data;
        h->hash = found->hash;

    } else {
        h->lowcase_key = lowcase;
        h->hash = ngx_hash_strlow(lowcase, name->data, name->len);

        lowcase += name->len;
    }

    if (name->len == sizeof("content-type") - 1
        && ngx_strncmp(h->lowcase_key, "content-type", name->len) == 0)
    {
        sr->headers_in.content_type = h;

    } else if (name->len == sizeof("content-length") - 1
               && ngx_strncmp(h->lowcase_key, "content-length", name->len)
                  == 0)
    {
        sr->headers_in.content_length = h;
    }

    return lowcase;
}


/* NULL: the name is another one, or spelled in another way */

static ngx_http_flowdash_step_name_t *
ngx_http_flowdash_step_find_name(ngx_str_t *name)
{
    ngx_http_flowdash_step_name_t  *known;

    static ngx_http_flowdash_step_name_t  names[] = {
        { ngx_string("Content-Type"), ngx_string("content-type"), 0 },
        { ngx_string("Accept"), ngx_string("accept"), 0 },
        { ngx_string("User-Agent"), ngx_string("user-agent"), 0 },
        { ngx_string("Idempotency-Key"), ngx_string("idempotency-key"), 0 },
        { ngx_string("traceparent"), ngx_string("traceparent"), 0 },
        { ngx_string("Content-Length"), ngx_string("content-length"), 0 },
        { ngx_null_string, ngx_null_string, 0 }
    };

    for (known = names; known->name.len; known++) {

        if (name->len != known->name.len
            || ngx_memcmp(name->data, known->name.data, name->len) != 0)
        {
            continue;
        }

        if (known->hash == 0) {
            known->hash = ngx_hash_key(known->lowcase.data,
                                       known->lowcase.len);
        }

        return known;
    }

    return NULL;
}
