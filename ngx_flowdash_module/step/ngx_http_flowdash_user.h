
#ifndef _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* a member of "user" */

typedef struct {
    ngx_str_t                       name;
    ngx_str_t                       value;     /* empty: null */
    unsigned                        json:1;    /* a number or the like, as it
                                                  is spelled; or a string */
} ngx_http_flowdash_member_t;


/*
 * Returns the members of "user", of ngx_http_flowdash_member_t, the id first.
 * Returns NULL if memory ran out, or with ex->error set if a value is not
 * UTF-8.  If "ex" is NULL, such a value is left out instead.
 */
ngx_array_t *ngx_http_flowdash_user(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf);

/* Returns how many bytes ngx_http_flowdash_user_write() writes at most. */
size_t ngx_http_flowdash_user_length(ngx_array_t *user);

/* Writes the members as a JSON object at "p".  Returns the object's end. */
u_char *ngx_http_flowdash_user_write(u_char *p, ngx_array_t *user);


#endif /* _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_ */
