
/*
 * Variables that were read too early.  A "map" of a field that a limit_req or
 * an auth_request has read is empty, and nginx would keep this for the whole
 * request: the action would have no name, and would pass without its steps.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_ctx.h>
#include <ngx_http_flowdash_value.h>
#include <ngx_http_flowdash_early.h>


static void ngx_http_flowdash_early_cleanup(void *data);
static ngx_uint_t ngx_http_flowdash_early_is_noted(ngx_http_request_t *r);
static ngx_uint_t ngx_http_flowdash_early_is_kept(ngx_http_request_t *r,
    ngx_uint_t index);
static ngx_int_t ngx_http_flowdash_early_depends(ngx_http_request_t *r,
    ngx_uint_t index);


/* a context would be lost in an internal redirect */

void
ngx_http_flowdash_early_note(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    if (ngx_http_flowdash_early_is_noted(r)) {
        return;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (cln) {
        cln->handler = ngx_http_flowdash_early_cleanup;
    }
}


/* only a mark in the pool */

static void
ngx_http_flowdash_early_cleanup(void *data)
{
    /* void */
}


static ngx_uint_t
ngx_http_flowdash_early_is_noted(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_flowdash_early_cleanup) {
            return 1;
        }
    }

    return 0;
}


/* one that depends on another is found when that one is forgotten */

ngx_int_t
ngx_http_flowdash_early_forget(ngx_http_request_t *r, ngx_uint_t always)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i, again;
    ngx_http_core_main_conf_t  *cmcf;

    if (!always && !ngx_http_flowdash_early_is_noted(r)) {
        return NGX_OK;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    do {
        again = 0;

        for (i = 0; i < cmcf->variables.nelts; i++) {

            if (!ngx_http_flowdash_early_is_kept(r, i)) {
                continue;
            }

            rc = ngx_http_flowdash_early_depends(r, i);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_OK) {
                ngx_memzero(&r->variables[i],
                            sizeof(ngx_http_variable_value_t));
                again = 1;
            }
        }

    } while (again);

    return NGX_OK;
}


/* what "set" has stored cannot be found again: its handler has no value */

static ngx_uint_t
ngx_http_flowdash_early_is_kept(ngx_http_request_t *r, ngx_uint_t index)
{
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    v = cmcf->variables.elts;
    v += index;

    return (v->flags & (NGX_HTTP_VAR_CHANGEABLE|NGX_HTTP_VAR_NOCACHEABLE))
           == NGX_HTTP_VAR_CHANGEABLE
           && v->data != index
           && (r->variables[index].valid || r->variables[index].not_found);
}


/* returns NGX_OK, NGX_DECLINED, or NGX_ERROR; r->variables stay as they are */

static ngx_int_t
ngx_http_flowdash_early_depends(ngx_http_request_t *r, ngx_uint_t index)
{
    size_t                          size;
    ngx_int_t                       rc;
    ngx_http_variable_value_t      *saved;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_flowdash_value_t       value;
    ngx_http_flowdash_evaluation_t  ev;

    ngx_memzero(&value, sizeof(ngx_http_flowdash_value_t));
    ngx_memzero(&ev, sizeof(ngx_http_flowdash_evaluation_t));

    ev.value = &value;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    saved = ngx_palloc(r->pool, size);
    if (saved == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(saved, r->variables, size);

    ngx_memzero(&r->variables[index], sizeof(ngx_http_variable_value_t));

    rc = ngx_http_flowdash_value_evaluate_variable(r, index, &ev);

    ngx_memcpy(r->variables, saved, size);

    (void) ngx_pfree(r->pool, saved);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    return ev.read ? NGX_OK : NGX_DECLINED;
}
