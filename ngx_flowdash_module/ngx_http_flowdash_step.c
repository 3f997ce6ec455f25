
/*
 * A step: the payload and headers of its request, the subrequest into its
 * location, and the time it has.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>


static ngx_int_t ngx_http_flowdash_step_payload(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_headers(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_headers_set(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf);
static ngx_int_t ngx_http_flowdash_exchange_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_str_t *name,
    const char *why);
static ngx_int_t ngx_http_flowdash_step_subrequest(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_step_body(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_step_headers_in(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_step_add_header(ngx_http_request_t *sr,
    ngx_str_t *name, ngx_str_t *value);
static void ngx_http_flowdash_subrequest_timeout(ngx_event_t *ev);
static void ngx_http_flowdash_subrequest_abort(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex);
static ngx_int_t ngx_http_flowdash_subrequest_end(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex);


/* what limit_req knows a request by that it has seen */

#define NGX_HTTP_FLOWDASH_LIMIT_REQ_PASSED  1


static ngx_str_t  ngx_http_flowdash_post_method = ngx_string("POST");

/* always sent, in this order, null when there is nothing to say */

static ngx_str_t  ngx_http_flowdash_user_fields[] = {
    ngx_string("id"),
    ngx_string("email"),
    ngx_string("first_name"),
    ngx_string("last_name"),
    ngx_null_string
};

static ngx_keyval_t  ngx_http_flowdash_default_headers[] = {
    { ngx_string("Content-Type"), ngx_string("application/json") },
    { ngx_string("Accept"), ngx_string("application/json") },
    { ngx_string("User-Agent"),
      ngx_string("ngx_flowdash/" NGX_HTTP_FLOWDASH_VERSION) },
    { ngx_null_string, ngx_null_string }
};


ngx_int_t
ngx_http_flowdash_step_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_exchange_t  *ex, **slot;
    ngx_http_flowdash_step_t     **steps;
    ngx_http_flowdash_loc_conf_t  *flcf;

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

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];

    rc = ngx_http_flowdash_step_condition(r, ctx, ex);

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

    if ((ngx_msec_int_t) (ctx->deadline - ngx_current_msec) <= 0) {
        ex->error = NGX_HTTP_FLOWDASH_DEADLINE;
        ex->done = 1;
        return NGX_OK;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" starts, payload:%uz",
                   &ex->step->name, ex->payload.len);

    if (ngx_http_flowdash_step_subrequest(r, ex) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_subrequest_set_timer(r, ctx, flcf);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_step_condition(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex)
{
    ngx_int_t  rc;

    if (ex->step->condition == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_flowdash_value_test(r, ex->step->condition);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ctx->ambiguous) {
        ex->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;
        ngx_str_set(&ex->detail, "flowdash_if depends on a field that the "
                                 "task has twice");
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

    rc = ngx_http_flowdash_step_payload(r, ctx, ex, flcf);

    return (rc == NGX_OK) ? ngx_http_flowdash_headers(r, ctx, ex, flcf)
                          : rc;
}


/* {"action":NAME,"user":{...},"task":{...}} */

static ngx_int_t
ngx_http_flowdash_step_payload(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    u_char        *p;
    size_t         len;
    ngx_uint_t     i;
    ngx_array_t   *user;
    ngx_keyval_t  *kv;

    user = ngx_http_flowdash_user(r, ex, flcf);

    if (user == NULL) {
        return ex->error ? NGX_DECLINED : NGX_ERROR;
    }

    kv = user->elts;

    len = sizeof("{\"action\":,\"user\":{},\"task\":}") - 1
          + ngx_http_flowdash_json_string_length(&ctx->action)
          + ngx_http_flowdash_task_object_length(ctx->task);

    for (i = 0; i < user->nelts; i++) {
        len += sizeof(",:null") - 1
               + ngx_http_flowdash_json_string_length(&kv[i].key)
               + ngx_http_flowdash_json_string_length(&kv[i].value);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ex->payload.data = p;

    p = ngx_cpymem(p, "{\"action\":", sizeof("{\"action\":") - 1);
    p = ngx_http_flowdash_json_write_string(p, &ctx->action);
    p = ngx_cpymem(p, ",\"user\":{", sizeof(",\"user\":{") - 1);

    for (i = 0; i < user->nelts; i++) {

        if (i) {
            *p++ = ',';
        }

        p = ngx_http_flowdash_json_write_string(p, &kv[i].key);
        *p++ = ':';

        if (kv[i].value.len) {
            p = ngx_http_flowdash_json_write_string(p, &kv[i].value);

        } else {
            p = ngx_cpymem(p, "null", sizeof("null") - 1);
        }
    }

    p = ngx_cpymem(p, "},\"task\":", sizeof("},\"task\":") - 1);
    p = ngx_http_flowdash_task_write_object(p, ctx->task);
    *p++ = '}';

    ex->payload.len = p - ex->payload.data;

    return NGX_OK;
}


ngx_array_t *
ngx_http_flowdash_user(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_str_t                  *field, value;
    ngx_uint_t                  i, n;
    ngx_array_t                *user;
    ngx_keyval_t               *kv;
    ngx_http_flowdash_param_t  *param;

    user = ngx_array_create(r->pool, 4 + flcf->user->nelts,
                            sizeof(ngx_keyval_t));
    if (user == NULL) {
        return NULL;
    }

    for (field = ngx_http_flowdash_user_fields; field->len; field++) {

        kv = ngx_array_push(user);
        if (kv == NULL) {
            return NULL;
        }

        kv->key = *field;
        ngx_str_null(&kv->value);
    }

    param = flcf->user->elts;

    for (n = 0; n < flcf->user->nelts; n++) {

        if (ngx_http_flowdash_value_raw(r, &param[n].value, &value)
            != NGX_OK)
        {
            return NULL;
        }

        if (ngx_http_flowdash_text_check_utf8(&value)) {
            if (ex == NULL) {

                /* its steps will say so */

                continue;
            }

            (void) ngx_http_flowdash_exchange_refuse(r, ex, "flowdash_user",
                                                     &param[n].name,
                                                     "is not UTF-8");
            return NULL;
        }

        kv = user->elts;

        for (i = 0; i < user->nelts; i++) {
            if (kv[i].key.len == param[n].name.len
                && ngx_strncmp(kv[i].key.data, param[n].name.data,
                               param[n].name.len) == 0)
            {
                break;
            }
        }

        if (i < user->nelts) {
            kv[i].value = value;
            continue;
        }

        kv = ngx_array_push(user);
        if (kv == NULL) {
            return NULL;
        }

        kv->key = param[n].name;
        kv->value = value;
    }

    return user;
}


static ngx_int_t
ngx_http_flowdash_headers(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_exchange_t *ex,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_keyval_t  *header, *h;

    if (ngx_array_init(&ex->headers, r->pool, 8, sizeof(ngx_keyval_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (header = ngx_http_flowdash_default_headers;
         header->key.len;
         header++)
    {
        if (ngx_http_flowdash_headers_is_set(flcf, &header->key)) {
            continue;
        }

        h = ngx_array_push(&ex->headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = *header;
    }

    if (ngx_http_flowdash_identity_step(r, ctx, ex, &ex->headers)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (flcf->headers == NULL) {
        return NGX_OK;
    }

    return ngx_http_flowdash_headers_set(r, ex, flcf);
}


static ngx_int_t
ngx_http_flowdash_headers_set(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf)
{
    u_char                     *p, *last;
    ngx_str_t                   value;
    ngx_uint_t                  i;
    ngx_keyval_t               *h;
    ngx_http_flowdash_param_t  *param;

    param = flcf->headers->elts;

    for (i = 0; i < flcf->headers->nelts; i++) {

        if (ngx_http_flowdash_value(r, &param[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            continue;
        }

        last = value.data + value.len;

        for (p = value.data; p < last; p++) {
            if ((*p < 0x20 && *p != '\t') || *p == 0x7f) {
                break;
            }
        }

        if (p < last || ngx_http_flowdash_get_ctx(r)->escaped) {
            return ngx_http_flowdash_exchange_refuse(r, ex,
                                       "flowdash_set_header", &param[i].name,
                                       "has a control character");
        }

        h = ngx_array_push(&ex->headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->key = param[i].name;
        h->value = value;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_headers_is_set(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_param_t  *param;

    if (flcf->headers == NULL) {
        return 0;
    }

    param = flcf->headers->elts;

    for (i = 0; i < flcf->headers->nelts; i++) {
        if (param[i].name.len == name->len
            && ngx_strncasecmp(param[i].name.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_flowdash_exchange_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, const char *what, ngx_str_t *name,
    const char *why)
{
    u_char  *p;

    ex->error = NGX_HTTP_FLOWDASH_REQUEST_INVALID;

    ex->detail.data = ngx_pnalloc(r->pool, NGX_MAX_ERROR_STR);
    if (ex->detail.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_snprintf(ex->detail.data, NGX_MAX_ERROR_STR,
                     "the value of %s %V %s", what, name, why);
    ex->detail.len = p - ex->detail.data;

    return NGX_DECLINED;
}


/*
 * A background subrequest, so that the connection stays the main request's:
 * what the client does meanwhile is not for the step's upstream to judge.
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
        return NGX_ERROR;
    }

#if (NGX_PCRE)
    sr->ncaptures = r->ncaptures;
    sr->captures = r->captures;
    sr->captures_data = r->captures_data;
    sr->realloc_captures = 1;
#endif

    /* as a named location is entered */

    sr->loc_conf = ex->step->loc_conf;
    sr->valid_location = 1;

    ngx_http_update_location_config(sr);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    sr->phase_handler = cmcf->phase_engine.location_rewrite_index;
    sr->write_event_handler = ngx_http_core_run_phases;

    return NGX_OK;
}


ngx_http_request_t *
ngx_http_flowdash_subrequest_create(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_str_t *uri, ngx_str_t *args)
{
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    if (ps == NULL) {
        return NULL;
    }

    ps->handler = ngx_http_flowdash_subrequest_done;
    ps->data = ex;

    if (ngx_http_subrequest(r, uri, args, &sr, ps,
                            NGX_HTTP_SUBREQUEST_IN_MEMORY
                            |NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        return NULL;
    }

    ex->request = sr;
    ngx_http_set_ctx(sr, ex, ngx_http_flowdash_module);

    /*
     * A shared array would keep what one of both requests has read of its
     * headers for the other.
     */

    sr->variables = ngx_http_flowdash_value_copy_variables(r);
    if (sr->variables == NULL) {
        return NULL;
    }

    /*
     * limit_req would wait for an event of the connection, which is the
     * client's request's: the subrequest would never be woken.
     */

    if (r->limit_req_status == 0) {
        r->limit_req_status = NGX_HTTP_FLOWDASH_LIMIT_REQ_PASSED;
    }

    /* nginx clears it if the upstream breaks off, see where it is judged */

    sr->keepalive = 1;

    return sr;
}


void
ngx_http_flowdash_subrequest_set_method(ngx_http_request_t *sr,
    ngx_uint_t method,
    ngx_str_t *name)
{
    ngx_http_variable_value_t      *v;
    ngx_http_flowdash_main_conf_t  *fmcf;

    sr->method = method;
    sr->method_name = *name;

    fmcf = ngx_http_get_module_main_conf(sr, ngx_http_flowdash_module);

    v = &sr->variables[fmcf->request_method];

    v->len = name->len;
    v->data = name->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


static ngx_int_t
ngx_http_flowdash_step_body(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    b = ngx_calloc_buf(sr->pool);
    cl = ngx_alloc_chain_link(sr->pool);

    if (rb == NULL || b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->start = ex->payload.data;
    b->pos = b->start;
    b->last = b->start + ex->payload.len;
    b->end = b->last;
    b->temporary = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    rb->bufs = cl;
    rb->buf = b;

    sr->request_body = rb;

    return NGX_OK;
}


/*
 * Headers of its own: a copy would share its list with the client's request,
 * and have the client's headers in it.
 */

static ngx_int_t
ngx_http_flowdash_step_headers_in(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    u_char                        *p;
    ngx_str_t                      name, value;
    ngx_uint_t                     i;
    ngx_keyval_t                  *header;
    ngx_http_headers_in_t         *in;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = ex->step->loc_conf[ngx_http_flowdash_module.ctx_index];
    in = &sr->headers_in;

    ngx_memzero(in, sizeof(ngx_http_headers_in_t));

    in->content_length_n = ex->payload.len;
    in->keep_alive_n = -1;

    if (ngx_list_init(&in->headers, sr->pool, 8, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /*
     * flowdash_call adds those of each call by itself, and takes the others
     * from where they are; but an "if" may let another handler answer.
     */

    if (flcf->url == NULL
        && ngx_http_flowdash_identity_call(sr->main,
                                           ngx_http_flowdash_get_ctx(sr), ex,
                                           &ex->headers)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    header = ex->headers.elts;

    for (i = 0; i < ex->headers.nelts; i++) {
        if (ngx_http_flowdash_step_add_header(sr, &header[i].key,
                                              &header[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    p = ngx_pnalloc(sr->pool, NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&name, "Content-Length");
    value.data = p;
    value.len = ngx_sprintf(p, "%O", in->content_length_n) - p;

    return ngx_http_flowdash_step_add_header(sr, &name, &value);
}


static ngx_int_t
ngx_http_flowdash_step_add_header(ngx_http_request_t *sr, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key = *name;
    h->value = *value;

    h->lowcase_key = ngx_pnalloc(sr->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    if (h->key.len == sizeof("content-type") - 1
        && ngx_strncmp(h->lowcase_key, "content-type", h->key.len) == 0)
    {
        sr->headers_in.content_type = h;

    } else if (h->key.len == sizeof("content-length") - 1
               && ngx_strncmp(h->lowcase_key, "content-length", h->key.len)
                  == 0)
    {
        sr->headers_in.content_length = h;
    }

    return NGX_OK;
}


void
ngx_http_flowdash_subrequest_set_timer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_msec_t  time, left;

    time = flcf->timeout;
    left = ctx->deadline - ngx_current_msec;

    if (left < time) {
        time = left;
        ctx->exchange->deadline = 1;
    }

    ctx->timer.handler = ngx_http_flowdash_subrequest_timeout;
    ctx->timer.data = r->connection;
    ctx->timer.log = r->connection->log;

    ngx_add_timer(&ctx->timer, time);
}


static void
ngx_http_flowdash_subrequest_timeout(ngx_event_t *ev)
{
    ngx_connection_t              *c;
    ngx_http_request_t            *r, *sr;
    ngx_http_flowdash_ctx_t       *ctx;
    ngx_http_flowdash_exchange_t  *ex;

    c = ev->data;
    r = c->data;
    r = r->main;

    ngx_http_set_log_request(c->log, r);

    ctx = ngx_http_flowdash_get_ctx(r);
    ex = ctx->exchange;
    sr = ex->request;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "flowdash step \"%V\" ran out of time", &ex->step->name);

    ex->error = ex->deadline ? NGX_HTTP_FLOWDASH_DEADLINE
                             : NGX_HTTP_FLOWDASH_TIMEOUT;

    ngx_http_flowdash_subrequest_abort(sr, ex);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_flowdash_subrequest_abort(ngx_http_request_t *sr,
    ngx_http_flowdash_exchange_t *ex)
{
    ngx_http_upstream_t  *u;

    u = sr->upstream;

    if (ex->call) {
        ngx_http_flowdash_call_abort(ex->call);

    } else if (u && u->cleanup) {

        /* the upstream's cleanup handler gives up one reference */

        sr->main->count++;
        (*u->cleanup)(sr);

    } else {

        /*
         * A handler which cannot be stopped goes on by itself, and keeps the
         * request's memory till it has ended; the action does not wait for it.
         */

        if (ngx_http_flowdash_subrequest_end(sr, ex) != NGX_OK) {
            sr->main->count++;
            ngx_http_finalize_request(sr->main, NGX_ERROR);
        }

        return;
    }

    ngx_http_finalize_request(sr, NGX_HTTP_GATEWAY_TIME_OUT);
}


ngx_int_t
ngx_http_flowdash_subrequest_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc)
{
    ngx_http_flowdash_exchange_t *ex = data;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "flowdash step \"%V\" done, rc:%i s:%ui",
                   &ex->step->name, rc, r->headers_out.status);

    if (ex->done) {

        /* finalized once more, or too late */

        return NGX_OK;
    }

    if (rc == NGX_OK && r->buffered && !r->connection->error) {

        /* a filter waits for a file */

        return NGX_OK;
    }

    ngx_http_flowdash_answer_judge(ex, rc);

    /* what a filter still holds goes nowhere, and must not be waited for */

    r->buffered = 0;

    return ngx_http_flowdash_subrequest_end(r, ex);
}


/*
 * Wakes the main request.  Whatever the answer was, the subrequest has ended
 * well: nginx must not make an error page for it.
 */

static ngx_int_t
ngx_http_flowdash_subrequest_end(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex)
{
    /* an output filter of the step may have failed, or the client be gone */

    r->connection->error = 0;
    r->connection->log->action = NULL;

    ex->done = 1;
    ex->time = ngx_current_msec - ex->start;

    r->main->write_event_handler = ngx_http_core_run_phases;

    return ngx_http_post_request(r->main, NULL);
}
