
#ifndef _NGX_HTTP_FLOWDASH_USER_CACHE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_USER_CACHE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Returns how much memory of flowdash_zone the users take that are kept, in
 * bytes, if its counters take "size".
 */
size_t ngx_http_flowdash_user_cache_size(size_t size);

/*
 * Finds a user who was kept less than "max_age" ms ago, and counts whether
 * there is one.  Returns NGX_OK with "text" in the request's pool,
 * NGX_DECLINED, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_user_cache_find(ngx_http_request_t *r,
    u_char *key, ngx_msec_t max_age, ngx_str_t *text);

/* Keeps a user, unless the text is too long. */
void ngx_http_flowdash_user_cache_store(ngx_http_request_t *r, u_char *key,
    ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_USER_CACHE_H_INCLUDED_ */
