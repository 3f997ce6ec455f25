
/*
 * The values of flowdash_ directives, evaluated against the client's request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_value.h>


static ngx_int_t ngx_http_flowdash_value_escaped(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value, ngx_uint_t secrets);
static ngx_int_t ngx_http_flowdash_value_unescaped(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value, ngx_uint_t secrets);
static ngx_int_t ngx_http_flowdash_value_evaluate(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_evaluation_t *ev);
static ngx_int_t ngx_http_flowdash_value_evaluate_any(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_uint_t index,
    ngx_http_flowdash_evaluation_t *ev);


ngx_int_t
ngx_http_flowdash_value(ngx_http_request_t *r, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_sent(r, NULL, cv, value);
}


ngx_int_t
ngx_http_flowdash_value_sent(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_escaped(r, conf, cv, value, 0);
}


ngx_int_t
ngx_http_flowdash_value_secret(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_escaped(r, conf, cv, value, 1);
}


static ngx_int_t
ngx_http_flowdash_value_escaped(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value, ngx_uint_t secrets)
{
    size_t                          size;
    ngx_int_t                       rc;
    ngx_http_variable_value_t      *saved;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_flowdash_main_conf_t  *fmcf;
    ngx_http_flowdash_evaluation_t  ev;

    r = r->main;

    ngx_memzero(value, sizeof(ngx_http_flowdash_value_t));
    ngx_memzero(&ev, sizeof(ngx_http_flowdash_evaluation_t));

    ev.value = value;
    ev.conf = conf;
    ev.secrets = secrets;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    if ((!fmcf->task_variables && fmcf->secrets == NULL)
        || cv->lengths == NULL)
    {
        return ngx_http_flowdash_value_evaluate(r, cv, &ev);
    }

    /*
     * nginx caches some variables, such as those of "map".  None may keep a
     * value from a task that will change, or one with a secret, nor an empty
     * one in its place.
     */

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    saved = ngx_palloc(r->pool, size);
    if (saved == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(saved, r->variables, size);

    rc = ngx_http_flowdash_value_evaluate(r, cv, &ev);

    if (ev.read || ev.secret) {
        ngx_memcpy(r->variables, saved, size);
    }

    (void) ngx_pfree(r->pool, saved);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_value_evaluate(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_evaluation_t *ev)
{
    return ngx_http_flowdash_value_evaluate_any(r, cv, 0, ev);
}


ngx_int_t
ngx_http_flowdash_value_evaluate_variable(ngx_http_request_t *r,
    ngx_uint_t index, ngx_http_flowdash_evaluation_t *ev)
{
    return ngx_http_flowdash_value_evaluate_any(r, NULL, index, ev);
}


/*
 * The module's own variables find the evaluation in the context.  To nginx, a
 * variable that fails is an empty one; but no name or condition may be empty
 * because memory ran out: the steps would not run.
 *
 * A "map" with a regular expression replaces $1, by which steps and the app's
 * URL may be made: the location's captures stay as they are.
 */

static ngx_int_t
ngx_http_flowdash_value_evaluate_any(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_uint_t index,
    ngx_http_flowdash_evaluation_t *ev)
{
    ngx_int_t                        rc;
    ngx_uint_t                       first;
    ngx_http_flowdash_ctx_t         *ctx;
    ngx_http_flowdash_evaluation_t  *outer;

#if (NGX_PCRE)
    int                             *captures;
    u_char                          *captures_data;
    ngx_uint_t                       ncaptures;

    captures = r->captures;
    captures_data = r->captures_data;
    ncaptures = r->ncaptures;

    if (ngx_http_flowdash_value_copy_captures(r, &r->captures) != NGX_OK) {
        return NGX_ERROR;
    }
#endif

    ctx = ngx_http_flowdash_get_ctx(r);
    outer = ctx->evaluation;
    first = ctx->markers ? ctx->markers->names.nelts : 0;

    ctx->evaluation = ev;
    rc = NGX_OK;

    if (ctx->markers && (cv == NULL || cv->lengths)) {
        ctx->markers->variables = 1;
    }

    if (cv) {
        rc = ngx_http_complex_value(r, cv, &ev->value->text);

        if (ctx->markers && rc == NGX_OK) {
            ngx_http_flowdash_marker_check(ctx->markers, first,
                                           &ev->value->text);
        }

    } else {
        (void) ngx_http_get_indexed_variable(r, index);
    }

    ctx->evaluation = outer;

#if (NGX_PCRE)
    r->captures = captures;
    r->captures_data = captures_data;
    r->ncaptures = ncaptures;
#endif

    return ev->failed ? NGX_ERROR : rc;
}


ngx_int_t
ngx_http_flowdash_value_raw(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_sent_raw(r, NULL, cv, value);
}


ngx_int_t
ngx_http_flowdash_value_sent_raw(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_unescaped(r, conf, cv, value, 0);
}


ngx_int_t
ngx_http_flowdash_value_secret_raw(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value)
{
    return ngx_http_flowdash_value_unescaped(r, conf, cv, value, 1);
}


static ngx_int_t
ngx_http_flowdash_value_unescaped(ngx_http_request_t *r,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_complex_value_t *cv,
    ngx_http_flowdash_value_t *value, ngx_uint_t secrets)
{
    ngx_int_t                       rc;
    ngx_http_variable_value_t      *variables;
    ngx_http_flowdash_evaluation_t  ev;

    r = r->main;

    if (ngx_http_flowdash_value_escaped(r, conf, cv, value, secrets)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!value->escaped) {
        return NGX_OK;
    }

    (void) ngx_pfree(r->pool, value->text.data);

    /* nginx must not cache a raw value */

    variables = r->variables;

    r->variables = ngx_http_flowdash_value_copy_variables(r);

    if (r->variables == NULL) {
        r->variables = variables;
        return NGX_ERROR;
    }

    ngx_memzero(&ev, sizeof(ngx_http_flowdash_evaluation_t));

    ev.value = value;
    ev.conf = conf;
    ev.raw = 1;
    ev.secrets = secrets;

    rc = ngx_http_flowdash_value_evaluate(r, cv, &ev);

    r->variables = variables;

    return rc;
}


ngx_int_t
ngx_http_flowdash_value_test(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_http_flowdash_value_t *value)
{
    if (ngx_http_flowdash_value(r, cv, value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value->text.len == 0
        || (value->text.len == 1 && value->text.data[0] == '0'))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_http_variable_value_t *
ngx_http_flowdash_value_copy_variables(ngx_http_request_t *r)
{
    ngx_uint_t                      i, mask;
    ngx_http_variable_t            *v;
    ngx_http_variable_value_t      *copy;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    copy = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                * sizeof(ngx_http_variable_value_t));
    if (copy == NULL) {
        return NULL;
    }

    v = cmcf->variables.elts;
    mask = NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if ((v[i].flags & mask) == NGX_HTTP_VAR_CHANGEABLE) {
            copy[i] = r->variables[i];
        }
    }

    copy[fmcf->request_id] = r->variables[fmcf->request_id];

    return copy;
}


#if (NGX_PCRE)

/*
 * r->realloc_captures would not do: then nginx gives the request an array
 * without values, also for an expression that does not match.
 */

ngx_int_t
ngx_http_flowdash_value_copy_captures(ngx_http_request_t *r, int **copy)
{
    int                        *captures;
    ngx_http_core_main_conf_t  *cmcf;

    captures = r->captures;

    if (captures == NULL || r->ncaptures == 0) {
        *copy = NULL;
        return NGX_OK;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    *copy = ngx_palloc(r->pool, cmcf->ncaptures * sizeof(int));
    if (*copy == NULL) {
        *copy = captures;
        return NGX_ERROR;
    }

    ngx_memcpy(*copy, captures, r->ncaptures * sizeof(int));

    return NGX_OK;
}

#endif
