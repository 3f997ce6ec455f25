
/*
 * Error pages of what nginx itself refuses before the action begins: the body
 * is too large, an access rule denies it.  A named location would get it as
 * the client sent it, and could pass it to the app, without any call.  A URI
 * would get a GET, but with the client's body, and its overrides of the
 * method.  Both get a GET as if the action had failed.
 *
 * Nginx tells nobody which location it leaves.  But the address of an error
 * page can have variables, and they are evaluated there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_replace_headers.h>
#include <ngx_http_flowdash_here.h>
#include <ngx_http_flowdash_named.h>


/* a variable without a value, for this module only */

#define NGX_HTTP_FLOWDASH_NAMED  "flowdash_named"


static ngx_uint_t ngx_http_flowdash_named_may_bypass(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_err_page_t *page);
static ngx_int_t ngx_http_flowdash_named_mark(ngx_conf_t *cf,
    ngx_http_err_page_t *page);
static ngx_int_t ngx_http_flowdash_named_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_http_flowdash_named_is_unjudged(ngx_http_request_t *r);
static ngx_uint_t ngx_http_flowdash_named_has_location(ngx_http_request_t *r);


ngx_int_t
ngx_http_flowdash_named_add(ngx_conf_t *cf)
{
    ngx_str_t             name;
    ngx_http_variable_t  *var;

    ngx_str_set(&name, NGX_HTTP_FLOWDASH_NAMED);

    var = ngx_http_add_variable(cf, &name,
                                NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_NOHASH);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_flowdash_named_variable;

    return NGX_OK;
}


/* other locations may share the array: it is copied */

ngx_int_t
ngx_http_flowdash_named_merge(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    ngx_uint_t                      i;
    ngx_array_t                    *pages;
    ngx_http_err_page_t            *page, *copy;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (flcf->action && clcf->post_action.data) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"post_action\" in location \"%V\", which has a "
                      "\"flowdash_action\": it would get the request of a "
                      "failed action", &clcf->name);
        return NGX_ERROR;
    }

    if (!fmcf->steps || clcf->error_pages == NULL) {
        return NGX_OK;
    }

    pages = ngx_array_create(cf->pool, clcf->error_pages->nelts,
                             sizeof(ngx_http_err_page_t));
    if (pages == NULL) {
        return NGX_ERROR;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {

        copy = ngx_array_push(pages);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        *copy = page[i];

        if (ngx_http_flowdash_named_may_bypass(flcf, clcf, copy)
            && ngx_http_flowdash_named_mark(cf, copy) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    clcf->error_pages = pages;

    return NGX_OK;
}


/*
 * Whether the page may lead around an action: from its location, or because
 * nginx has not understood the request, and so has not looked for a location.
 */

static ngx_uint_t
ngx_http_flowdash_named_may_bypass(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_err_page_t *page)
{
    ngx_str_t  *value;

    value = &page->value.value;

    if (value->len == 0
        || (value->data[0] != '@' && value->data[0] != '$'
            && value->data[0] != '/'))
    {
        /* the client is redirected */

        return 0;
    }

    if (flcf->action) {
        return 1;
    }

    if (clcf->name.data) {
        return 0;
    }

    switch (page->status) {

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_NOT_ALLOWED:
    case NGX_HTTP_MISDIRECTED_REQUEST:
    case NGX_HTTP_REQUEST_HEADER_TOO_LARGE:
    case NGX_HTTPS_CERT_ERROR:
    case NGX_HTTPS_NO_CERT:
    case NGX_HTTP_TO_HTTPS:
    case NGX_HTTP_INTERNAL_SERVER_ERROR:
    case NGX_HTTP_NOT_IMPLEMENTED:
    case NGX_HTTP_VERSION_NOT_SUPPORTED:
        return 1;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_flowdash_named_mark(ngx_conf_t *cf, ngx_http_err_page_t *page)
{
    u_char                            *p;
    ngx_str_t                          value;
    ngx_http_complex_value_t           cv;
    ngx_http_compile_complex_value_t   ccv;

    static ngx_str_t  mark = ngx_string("${" NGX_HTTP_FLOWDASH_NAMED "}");

    value.len = mark.len + page->value.value.len + 1 + page->args.len;

    value.data = ngx_pnalloc(cf->pool, value.len + 1);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(value.data, "%V%V", &mark, &page->value.value);

    if (page->args.len) {

        /* nginx splits a value without variables, and will split this one */

        p = ngx_sprintf(p, "?%V", &page->args);
    }

    *p = '\0';
    value.len = p - value.data;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value;
    ccv.complex_value = &cv;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_ERROR;
    }

    page->value = cv;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_named_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    *v = ngx_http_variable_null_value;

    if (ngx_http_flowdash_named_is_unjudged(r)
        && ngx_http_flowdash_replace_headers_discard_body(r) != NGX_OK)
    {
        /* nginx does not hear of it, but leads nowhere any more */

        r->uri_changes = 1;
    }

    return NGX_OK;
}


/* whether no action has begun, or only its body has been read in vain */

static ngx_uint_t
ngx_http_flowdash_named_is_unjudged(ngx_http_request_t *r)
{
    ngx_http_flowdash_ctx_t       *ctx;
    ngx_http_flowdash_method_t     method;
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (r != r->main) {
        return 0;
    }

    ctx = ngx_http_flowdash_get_ctx(r);

    if (ctx) {
        return ctx->state == NGX_HTTP_FLOWDASH_READING;
    }

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);

    if (flcf->action) {
        return ngx_http_flowdash_here(r, &method);
    }

    return !ngx_http_flowdash_named_has_location(r);
}


/*
 * Whether nginx has looked for a location.  A "return" of the server answers
 * before that, but names one of the statuses in may_bypass() only to refuse.
 */

static ngx_uint_t
ngx_http_flowdash_named_has_location(ngx_http_request_t *r)
{
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    return r->loc_conf != cscf->ctx->loc_conf
           || r->phase_handler
              >= (ngx_int_t) cmcf->phase_engine.location_rewrite_index;
}
