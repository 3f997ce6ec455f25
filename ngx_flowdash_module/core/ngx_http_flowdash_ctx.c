
/*
 * The context of an execution, which survives internal redirects.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_trim.h>
#include <ngx_http_flowdash_ctx.h>


/* how often the timer that keeps the worker is set again, in milliseconds */

#define NGX_HTTP_FLOWDASH_CTX_KEEP  60000


static void ngx_http_flowdash_ctx_keep_worker(void);
static void ngx_http_flowdash_ctx_keep_handler(ngx_event_t *ev);
static void ngx_http_flowdash_ctx_end(void *data);
static void ngx_http_flowdash_ctx_cleanup(void *data);
static void ngx_http_flowdash_ctx_stop(ngx_http_flowdash_ctx_t *ctx);


static ngx_uint_t        ngx_http_flowdash_ctx_n;       /* of this worker */
static ngx_event_t       ngx_http_flowdash_ctx_keep;
static ngx_connection_t  ngx_http_flowdash_ctx_dummy;   /* for its log */


ngx_http_flowdash_ctx_t *
ngx_http_flowdash_create_ctx(ngx_http_request_t *r,
    ngx_http_flowdash_end_pt end)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_cleanup_t       *end_cln;
    ngx_http_flowdash_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_flowdash_ctx_t));
    end_cln = ngx_http_cleanup_add(r, 0);

    if (cln == NULL || end_cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_flowdash_ctx_t));

    if (ngx_array_init(&ctx->exchanges, r->pool, 4,
                       sizeof(ngx_http_flowdash_exchange_t *))
        != NGX_OK)
    {
        return NULL;
    }

    ctx->end = end;
    ctx->sendfile = r->connection->sendfile;
    ctx->tcp_nopush = r->connection->tcp_nopush;

    cln->handler = ngx_http_flowdash_ctx_cleanup;

    end_cln->handler = ngx_http_flowdash_ctx_end;
    end_cln->data = r;

    ngx_http_set_ctx(r, ctx, ngx_http_flowdash_module);

    ngx_http_flowdash_ctx_keep_worker();

    return ctx;
}


/*
 * A worker that quits waits for timers only.  There is none while a long body
 * waits for its next turn, nor in nginx before 1.23.1 while an answer has just
 * filled the buffers (its ticket 2367).  So one timer keeps the worker as long
 * as it has executions.
 */

static void
ngx_http_flowdash_ctx_keep_worker(void)
{
    ngx_event_t  *ev;

    ev = &ngx_http_flowdash_ctx_keep;

    ngx_http_flowdash_ctx_n++;

    ngx_http_flowdash_trim(ngx_http_flowdash_ctx_n);

    if (ngx_http_flowdash_ctx_n > 1) {
        return;
    }

    ngx_http_flowdash_ctx_dummy.fd = (ngx_socket_t) -1;

    ev->handler = ngx_http_flowdash_ctx_keep_handler;
    ev->data = &ngx_http_flowdash_ctx_dummy;
    ev->log = ngx_cycle->log;

    ngx_add_timer(ev, NGX_HTTP_FLOWDASH_CTX_KEEP);
}


static void
ngx_http_flowdash_ctx_keep_handler(ngx_event_t *ev)
{
    ev->timedout = 0;

    ngx_add_timer(ev, NGX_HTTP_FLOWDASH_CTX_KEEP);
}


ngx_http_flowdash_ctx_t *
ngx_http_flowdash_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_flowdash_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_flowdash_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        /*
         * if module context was reset by an internal redirect, it can still
         * be found in the cleanup handler
         */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_flowdash_ctx_cleanup) {
                ctx = cln->data;
                ngx_http_set_ctx(r, ctx, ngx_http_flowdash_module);
                break;
            }
        }
    }

    return ctx;
}


/* the id is $request_id, which is created here if it was not used before */

ngx_int_t
ngx_http_flowdash_ctx_id(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    u_char                         *hex;
    ngx_http_variable_value_t      *v;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    v = &r->variables[fmcf->request_id];

    if (!v->valid) {

        hex = ngx_pnalloc(r->pool, NGX_HTTP_FLOWDASH_ID_EXECUTION_LEN);
        if (hex == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_flowdash_id_execution(hex) != NGX_OK) {
            return NGX_ERROR;
        }

        v->data = hex;
        v->len = NGX_HTTP_FLOWDASH_ID_EXECUTION_LEN;
        v->valid = 1;
        v->no_cacheable = 0;
        v->not_found = 0;
    }

    ctx->id.len = v->len;
    ctx->id.data = v->data;

    return NGX_OK;
}


/*
 * As nginx's event handlers have noticed it: in HTTP/1, epoll tells them
 * that the client will send nothing more.
 */

ngx_uint_t
ngx_http_flowdash_ctx_client_has_left(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)

    if (r->stream) {
        return r->stream->out_closed
               || r->stream->rst_sent
               || r->stream->connection->connection->error;
    }

#endif

#if (defined NGX_HTTP_V3 && NGX_HTTP_V3)

    /* the end of the request is an "eof" */

    if (r->connection->quic) {
        return r->connection->read->error;
    }

#endif

    return r->connection->read->eof || r->connection->read->pending_eof;
}


void
ngx_http_flowdash_ctx_result(ngx_http_flowdash_ctx_t *ctx, ngx_str_t *result)
{
    ngx_str_null(result);

    if (ctx->state == NGX_HTTP_FLOWDASH_FAILED && ctx->error) {

        /* without an error, nginx could not read the request */

        ngx_str_set(result, "failed");

    } else if (ctx->state == NGX_HTTP_FLOWDASH_DRY_RUN) {
        ngx_str_set(result, "dry_run");

    } else if (ctx->state == NGX_HTTP_FLOWDASH_REPLAYED) {
        ngx_str_set(result, "replayed");

    } else if (ctx->state == NGX_HTTP_FLOWDASH_ABORTED) {
        ngx_str_set(result, "aborted");

    } else if (ctx->state == NGX_HTTP_FLOWDASH_PASSED && ctx->action.len) {

        switch (ctx->outcome) {

        case NGX_HTTP_FLOWDASH_OUTCOME_OK:
            ngx_str_set(result, "ok");
            break;

        case NGX_HTTP_FLOWDASH_OUTCOME_REFUSED:
            ngx_str_set(result, "refused");
            break;

        case NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN:
            ngx_str_set(result, "unknown");
            break;

        default:
            break;
        }
    }
}


static void
ngx_http_flowdash_ctx_end(void *data)
{
    ngx_http_request_t *r = data;

    ngx_http_flowdash_ctx_t  *ctx;

    ctx = ngx_http_flowdash_get_ctx(r);

    ngx_http_flowdash_ctx_stop(ctx);

    ctx->end(r, ctx);
}


/* nginx cannot free a request before a thread that works for it has ended */

static void
ngx_http_flowdash_ctx_cleanup(void *data)
{
    ngx_http_flowdash_ctx_t *ctx = data;

    ngx_http_flowdash_ctx_stop(ctx);

    ngx_http_flowdash_ctx_n--;

    ngx_http_flowdash_trim(ngx_http_flowdash_ctx_n);

    if (ngx_http_flowdash_ctx_n == 0) {
        ngx_del_timer(&ngx_http_flowdash_ctx_keep);
    }
}


static void
ngx_http_flowdash_ctx_stop(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    ngx_http_flowdash_ctx_end_yield(ctx);
}


void
ngx_http_flowdash_ctx_end_yield(ngx_http_flowdash_ctx_t *ctx)
{
    if (ctx->yield.posted) {
        ngx_delete_posted_event(&ctx->yield);
    }
}
