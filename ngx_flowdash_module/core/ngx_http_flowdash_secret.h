
#ifndef _NGX_HTTP_FLOWDASH_SECRET_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* a variable of flowdash_secret */

typedef struct {
    ngx_str_t                       name;      /* without the "$" */
    ngx_str_t                       value;
    ngx_uint_t                      warned;    /* by this worker */
} ngx_http_flowdash_secret_t;


/*
 * The variable's handler; "data" is the ..._secret_t.  It gives the value only
 * to ngx_http_flowdash_value_secret(), or a marker of ctx->markers instead.
 * Everywhere else the variable is empty, and a warning is logged once in each
 * worker.
 */
ngx_int_t ngx_http_flowdash_secret_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

/*
 * Returns the first secret whose variable is in a text, or NULL.  "secrets" is
 * an array of ngx_http_flowdash_secret_t *, or NULL.
 */
ngx_http_flowdash_secret_t *ngx_http_flowdash_secret_in(ngx_array_t *secrets,
    ngx_str_t *text);

/* Returns the secret of this name, without the "$", or NULL. */
ngx_http_flowdash_secret_t *ngx_http_flowdash_secret_named(
    ngx_array_t *secrets, ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_SECRET_H_INCLUDED_ */
