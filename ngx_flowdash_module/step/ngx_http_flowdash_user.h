
#ifndef _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>


/* the members of "user", in a caller's own variable unless there are more */

typedef struct {
    ngx_array_t                 array;
    ngx_http_flowdash_member_t  members[8];
} ngx_http_flowdash_user_t;


/*
 * Returns the members of "user", of ngx_http_flowdash_member_t, the id first:
 * an array in "room".  Returns NULL if memory ran out, or with ex->error set
 * if a value is not UTF-8.  If "ex" is NULL, such a value is left out instead.
 */
ngx_array_t *ngx_http_flowdash_user(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_user_t *room);

/* Returns how many bytes ngx_http_flowdash_user_write() writes at most. */
size_t ngx_http_flowdash_user_length(ngx_array_t *user);

/* Writes the members as a JSON object at "p".  Returns the object's end. */
u_char *ngx_http_flowdash_user_write(u_char *p, ngx_array_t *user);

/*
 * Tells whether the user of the action, and of each step that has one of its
 * own, has an id: one that is neither missing nor empty, "0" or no string or
 * number.  Returns NGX_OK, NGX_DECLINED or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_user_has_id(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/* Tells whether "user" always has a member of this name. */
ngx_uint_t ngx_http_flowdash_user_is_field(ngx_str_t *name);

/* Tells whether a member can be an id. */
ngx_uint_t ngx_http_flowdash_user_is_id(ngx_http_flowdash_member_t *member);


#endif /* _NGX_HTTP_FLOWDASH_USER_H_INCLUDED_ */
