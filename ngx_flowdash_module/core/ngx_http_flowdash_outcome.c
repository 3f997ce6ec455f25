
/*
 * The outcome of an execution whose steps have passed: what the app did.  The
 * source is what nginx's upstream knows of the app's answer, which no
 * error_page, X-Accel-Redirect or cache changes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_list.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_outcome.h>


/* what the servers of the app have made of the request */

typedef struct {
    ngx_uint_t                      status;    /* the last one's; or 0 */
    unsigned                        answered:1;  /* by the last one */
    unsigned                        sent:1;    /* to any of them */
    unsigned                        doubtful:1;  /* one may have acted, and
                                                  its answer is no success */
} ngx_http_flowdash_outcome_servers_t;


static ngx_int_t ngx_http_flowdash_outcome_upstream(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at);
static void ngx_http_flowdash_outcome_servers(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_outcome_servers_t *servers);
static ngx_uint_t ngx_http_flowdash_outcome_server_status(
    ngx_http_request_t *r, ngx_http_upstream_state_t *state);
static void ngx_http_flowdash_outcome_location(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, u_char *key);
static ngx_uint_t ngx_http_flowdash_outcome_is_fallback(ngx_http_request_t *r,
    ngx_http_flowdash_outcome_at_e at);
static ngx_int_t ngx_http_flowdash_outcome_handler(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at);
static ngx_uint_t ngx_http_flowdash_outcome_is_error_page(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);
static void ngx_http_flowdash_outcome_unanswered(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_outcome_at_e at);
static ngx_uint_t ngx_http_flowdash_outcome_is_named(ngx_http_request_t *r);
static ngx_http_flowdash_outcome_e ngx_http_flowdash_outcome_judge(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status);
static ngx_http_flowdash_outcome_e ngx_http_flowdash_outcome_evaluate(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx);
static ngx_uint_t ngx_http_flowdash_outcome_is_success(
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status);


void
ngx_http_flowdash_outcome_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ctx->passed = ngx_current_msec;
    ctx->passed_method = r->method;
    ctx->error_page = r->error_page;
    ctx->upstream = r->upstream;
    ctx->upstreams = r->upstream_states ? r->upstream_states->nelts : 0;
}


ngx_int_t
ngx_http_flowdash_outcome_take(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at)
{
    ngx_int_t  rc;

    if (ctx->state != NGX_HTTP_FLOWDASH_PASSED || ctx->outcome) {
        return NGX_DECLINED;
    }

    if (at == NGX_HTTP_FLOWDASH_OUTCOME_AT_END && r->header_sent) {

        /* by a filter that has not called this module's */

        at = NGX_HTTP_FLOWDASH_OUTCOME_AT_HEADER;
    }

    if (r->upstream != ctx->upstream) {
        rc = ngx_http_flowdash_outcome_upstream(r, ctx, at);

    } else {
        rc = ngx_http_flowdash_outcome_handler(r, ctx, at);
    }

    if (rc == NGX_OK) {
        ctx->app_time = ngx_current_msec - ctx->passed;
    }

    return rc;
}


static ngx_int_t
ngx_http_flowdash_outcome_upstream(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at)
{
    ngx_table_elt_t                     *location;
    ngx_http_flowdash_outcome_e          outcome;
    ngx_http_flowdash_outcome_servers_t  servers;

    ngx_http_flowdash_outcome_servers(r, ctx, &servers);

    if (servers.status) {
        ctx->app_status = servers.status;
    }

    ctx->reached |= servers.sent;

    if (servers.answered) {
        outcome = ngx_http_flowdash_outcome_judge(r, ctx, servers.status);

        if (outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED && servers.doubtful) {

            /* the one that was asked before may have done it */

            ctx->app_detail = "a server asked before may have acted";
            outcome = NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;
        }

    } else {
        outcome = servers.doubtful ? NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN
                                   : NGX_HTTP_FLOWDASH_OUTCOME_REFUSED;
    }

    if (outcome == NGX_HTTP_FLOWDASH_OUTCOME_REFUSED
        && ngx_http_flowdash_outcome_is_fallback(r, at))
    {
        ctx->fallback = 1;
        ctx->handled = 0;
        ctx->error_page = r->error_page;
        ctx->upstream = r->upstream;
        ctx->upstreams = r->upstream_states ? r->upstream_states->nelts : 0;

        return NGX_DECLINED;
    }

    ctx->outcome = outcome;

    location = r->upstream->headers_in.location;

    if (servers.answered && location) {
        ctx->app_location = location->value;
        ngx_http_flowdash_outcome_location(r, ctx, location->key.data);
    }

    return NGX_OK;
}


/*
 * Takes the Location of the response, if this is its key; NULL: any.  After an
 * internal redirect it is not the app's, whose Location proxy_redirect has not
 * changed then.  nginx knows the place of a Location only if it is absolute.
 */

static void
ngx_http_flowdash_outcome_location(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, u_char *key)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    i = 0;
    part = &r->headers_out.headers.part;

    while ((h = ngx_http_flowdash_list_next(&part, &i,
                                            sizeof(ngx_table_elt_t))))
    {
        if (h->hash && ngx_http_flowdash_text_is(&h->key, "Location")
            && (key == NULL || h->key.data == key))
        {
            ctx->app_location = h->value;
            return;
        }
    }
}


/*
 * Looks at the servers that were asked since the action has passed.  Where
 * nginx starts with another upstream, after an internal redirect, it adds a
 * state without a peer.
 */

static void
ngx_http_flowdash_outcome_servers(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_outcome_servers_t *servers)
{
    off_t                       sent;
    ngx_uint_t                  i, n, seen;
    ngx_http_upstream_t        *u;
    ngx_http_upstream_state_t  *state;

    ngx_memzero(servers, sizeof(ngx_http_flowdash_outcome_servers_t));

    u = r->upstream;
    seen = 0;
    n = r->upstream_states ? r->upstream_states->nelts : 0;

    for (i = ctx->upstreams; i < n; i++) {

        state = (ngx_http_upstream_state_t *) r->upstream_states->elts + i;

        if (state->peer == NULL) {

            if (seen) {
                break;
            }

            continue;
        }

        if (servers->answered
            && servers->status >= NGX_HTTP_INTERNAL_SERVER_ERROR)
        {
            servers->doubtful = 1;
        }

        seen = 1;

        servers->status = ngx_http_flowdash_outcome_server_status(r, state);
        servers->answered = (servers->status != 0);

        sent = state->bytes_sent;

        if (state == u->state && u->peer.connection) {
            sent = ngx_max(sent, u->peer.connection->sent);
        }

        if (sent || state->bytes_received || servers->answered) {
            servers->sent = 1;
            servers->doubtful |= !servers->answered;
        }
    }

#if (NGX_HTTP_CACHE)

    if (r->cache && r->cache->background) {

        /* a subrequest asks the app while the client gets what is stored */

        servers->sent = 1;
        servers->doubtful = 1;
    }

#endif
}


/*
 * Returns the status of a server's complete header, or 0.  nginx takes what is
 * no HTTP at all for the body of an answer with status 200.
 */

static ngx_uint_t
ngx_http_flowdash_outcome_server_status(ngx_http_request_t *r,
    ngx_http_upstream_state_t *state)
{
    if (state->header_time == (ngx_msec_t) -1
        || (state == r->upstream->state
            && r->upstream->headers_in.status_n == 0))
    {
        return 0;
    }

    return state->status ? state->status : r->upstream->headers_in.status_n;
}


/*
 * "error_page 502 404 = @another": the same request goes to another app, whose
 * answer counts.  An app that is asked for a page gets another request, or has
 * led there by X-Accel-Redirect.
 */

static ngx_uint_t
ngx_http_flowdash_outcome_is_fallback(ngx_http_request_t *r,
    ngx_http_flowdash_outcome_at_e at)
{
    return at == NGX_HTTP_FLOWDASH_OUTCOME_AT_REDIRECT
           && r->err_status == 0
           && !r->post_action
           && r->upstream->headers_in.x_accel_redirect == NULL
           && ngx_http_flowdash_outcome_is_named(r);
}


/* a content handler without an upstream, a script, or no handler at all */

static ngx_int_t
ngx_http_flowdash_outcome_handler(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_outcome_at_e at)
{
    ngx_uint_t  own, status;

    if (at == NGX_HTTP_FLOWDASH_OUTCOME_AT_REDIRECT && !r->post_action
        && !ngx_http_flowdash_outcome_is_error_page(r, ctx))
    {
        /* try_files, an index, a script, another app: none has answered */

        ctx->error_page = r->error_page;

        return NGX_DECLINED;
    }

    if (at == NGX_HTTP_FLOWDASH_OUTCOME_AT_END || r->post_action
        || ctx->fallback)
    {
        ngx_http_flowdash_outcome_unanswered(ctx, at);
        return NGX_OK;
    }

    ctx->reached = 1;

    own = (at == NGX_HTTP_FLOWDASH_OUTCOME_AT_HEADER
           && r->error_page == ctx->error_page);

    if (own) {
        ngx_http_flowdash_outcome_location(r, ctx, NULL);
    }

    if (own && r->err_status == 0) {
        ctx->app_status = r->headers_out.status;
        ctx->outcome = ngx_http_flowdash_outcome_judge(r, ctx,
                                                       ctx->app_status);
        return NGX_OK;
    }

    /* below 300, error_page has set it: nobody knows what it was before */

    status = r->err_status;

    if (status < NGX_HTTP_SPECIAL_RESPONSE) {
        ctx->app_detail = "an error page hides what it answered";
        ctx->outcome = NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;

        return NGX_OK;
    }

    ctx->app_status = status;
    ctx->outcome = ngx_http_flowdash_outcome_judge(r, ctx, status);

    return NGX_OK;
}


/*
 * A page in the place of what the handler has answered; not a named location
 * that gets the same request, and whose status counts.
 */

static ngx_uint_t
ngx_http_flowdash_outcome_is_error_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    if (r->err_status) {
        return 1;
    }

    return (r->error_page != ctx->error_page
            || r->method != ctx->passed_method)
           && !ngx_http_flowdash_outcome_is_named(r);
}


/* nobody has answered, or the page for what an app has refused */

static void
ngx_http_flowdash_outcome_unanswered(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_outcome_at_e at)
{
    if (ctx->handled) {
        ctx->app_detail = "a script may have called it";
        ctx->outcome = NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;

        return;
    }

    ctx->outcome = NGX_HTTP_FLOWDASH_OUTCOME_REFUSED;

    if (at == NGX_HTTP_FLOWDASH_OUTCOME_AT_END && !ctx->fallback) {
        ctx->state = NGX_HTTP_FLOWDASH_ABORTED;
    }
}


static ngx_uint_t
ngx_http_flowdash_outcome_is_named(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return clcf->named;
}


/* what a header means */

static ngx_http_flowdash_outcome_e
ngx_http_flowdash_outcome_judge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status)
{
    if (ctx->conf->outcome) {
        return ngx_http_flowdash_outcome_evaluate(r, ctx);
    }

    if (ngx_http_flowdash_outcome_is_success(ctx, status)) {
        return NGX_HTTP_FLOWDASH_OUTCOME_OK;
    }

    if (status >= NGX_HTTP_OK && status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return NGX_HTTP_FLOWDASH_OUTCOME_REFUSED;
    }

    return NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;
}


static ngx_http_flowdash_outcome_e
ngx_http_flowdash_outcome_evaluate(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_str_t                  *text;
    ngx_http_variable_value_t  *variables;
    ngx_http_flowdash_value_t   value;

    /* nginx must not cache it: another app may be asked after this one */

    variables = r->variables;
    r->variables = ngx_http_flowdash_value_copy_variables(r);

    rc = r->variables ? ngx_http_flowdash_value(r, ctx->conf->outcome, &value)
                      : NGX_ERROR;

    r->variables = variables;

    if (rc != NGX_OK) {
        ctx->app_detail = "no memory for flowdash_outcome";
        return NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;
    }

    text = &value.text;

    if (value.ambiguous) {
        ctx->app_detail = "flowdash_outcome depends on a field that the task "
                          "has twice";

    } else if (text->len == 2 && ngx_strncmp(text->data, "ok", 2) == 0) {
        return NGX_HTTP_FLOWDASH_OUTCOME_OK;

    } else if (text->len == 7 && ngx_strncmp(text->data, "refused", 7) == 0) {
        return NGX_HTTP_FLOWDASH_OUTCOME_REFUSED;

    } else if (text->len != 7 || ngx_strncmp(text->data, "unknown", 7) != 0) {
        ctx->app_detail = "the value of flowdash_outcome is none of "
                          "\"ok\", \"refused\" and \"unknown\"";
    }

    return NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN;
}


static ngx_uint_t
ngx_http_flowdash_outcome_is_success(ngx_http_flowdash_ctx_t *ctx,
    ngx_uint_t status)
{
    ngx_uint_t                     i;
    ngx_http_flowdash_statuses_t  *range;

    if (ctx->conf->success == NULL) {
        return status >= NGX_HTTP_OK && status < NGX_HTTP_BAD_REQUEST;
    }

    range = ctx->conf->success->elts;

    for (i = 0; i < ctx->conf->success->nelts; i++) {
        if (status >= range[i].from && status <= range[i].to) {
            return 1;
        }
    }

    return 0;
}
