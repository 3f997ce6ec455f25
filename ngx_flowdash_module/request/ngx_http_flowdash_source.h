
#ifndef _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash.h>


/*
 * Starts to read the request's task; starts again when an internal redirect
 * leads to another action.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_create(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Refuses a request that has been read and has no task, if flowdash_task says
 * so; otherwise logs it.  Returns NGX_OK, with ctx->refusal_status set after a
 * refusal, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_require(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Merges the fields of the stored task, the body and the query into ctx->task;
 * later ones override earlier ones.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Begins to check fields that change together; the fields that were checked
 * before are changed by now.
 */
void ngx_http_flowdash_source_begin(ngx_http_flowdash_ctx_t *ctx);

/*
 * Tells whether the request can carry the value of "new", beside those that
 * have been checked before.  Returns NGX_OK: the caller changes the field;
 * NGX_DONE if the value stays the same; NGX_DECLINED with "error" set if the
 * request cannot carry it; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Changes the fields of "change" that are marked; all of them have been
 * checked.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_commit(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_task_t *change);

/* Forgets the fields that were checked since the beginning. */
void ngx_http_flowdash_source_cancel(ngx_http_flowdash_ctx_t *ctx);

/*
 * Records why the task cannot be read, and the status for the client.  Returns
 * NGX_OK.
 */
ngx_int_t ngx_http_flowdash_source_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *error);

/*
 * The same for a rule of flowdash_strict, which is added to the error.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_refuse_rule(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, ngx_uint_t rule,
    const char *error);

/*
 * Records what is wrong with the request's body or query ("what"), the rule if
 * it is not 0, and the byte.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_refuse_at(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t status, const char *what,
    const char *error, ngx_uint_t rule, off_t offset);

/*
 * Creates a form that has yet to be read, with the rules and limits of the
 * location.  "boundary" is empty for a urlencoded one.  Returns NULL on error.
 */
ngx_http_flowdash_form_t *ngx_http_flowdash_source_create_form(
    ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx, ngx_str_t *boundary);

/*
 * Records why a form is refused, which "what" has.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_refuse_form(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_form_t *form,
    const char *what);


#endif /* _NGX_HTTP_FLOWDASH_SOURCE_H_INCLUDED_ */
