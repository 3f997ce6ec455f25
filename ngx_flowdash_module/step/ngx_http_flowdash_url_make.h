
#ifndef _NGX_HTTP_FLOWDASH_URL_MAKE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_URL_MAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_url.h>


/*
 * Makes the URL of a call, which ends with a zero.  If url->parsed is set, it
 * can be used instead, and "text" is not set.  Sets "host", which is empty for
 * a unix socket, and ex->url for the log.  Returns NGX_OK, NGX_DECLINED with
 * ex->error set if the value of a variable would lead elsewhere, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_url_make(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_t *url,
    ngx_str_t *text, ngx_str_t *host);

/*
 * Evaluates a part of a URL: percent-encodes the value of a variable.  If
 * "shown" is not NULL, the part may have a secret: it gets what may be shown.
 * Returns NGX_OK, NGX_DECLINED with ex->error set if the value cannot be used,
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_url_make_part(ngx_http_request_t *r,
    ngx_http_flowdash_exchange_t *ex, ngx_http_flowdash_url_part_t *part,
    ngx_str_t *text, ngx_str_t *shown);

/* Tells whether a host with variables is one, and nothing else of a URL. */
ngx_uint_t ngx_http_flowdash_url_make_host_valid(ngx_str_t *host);

/*
 * Writes url->origin, or url->redacted_origin, with the host and port if that
 * has variables.  Returns the end.
 */
u_char *ngx_http_flowdash_url_make_origin(u_char *p, ngx_str_t *origin,
    ngx_http_flowdash_url_t *url, ngx_str_t *host);

/*
 * Gives the path and the query of a URL whose text and host are those that
 * ngx_http_flowdash_url_make() has made.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_url_make_uri(ngx_http_flowdash_url_t *url,
    ngx_str_t *text, ngx_str_t *host, ngx_str_t *uri, ngx_pool_t *pool);


#endif /* _NGX_HTTP_FLOWDASH_URL_MAKE_H_INCLUDED_ */
