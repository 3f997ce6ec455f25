
#ifndef _NGX_HTTP_FLOWDASH_URL_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <curl/curl.h>

#include <ngx_http_flowdash_conf_util.h>


typedef struct {
    ngx_str_t                       text;      /* sent unchanged if no value */
    ngx_http_complex_value_t       *value;     /* is sent percent-encoded */
} ngx_http_flowdash_url_part_t;


typedef struct ngx_http_flowdash_url_s {
    ngx_str_t                       origin;    /* scheme and authority */
    ngx_str_t                       redacted_origin;  /* no user info */

    /* both origins end before the host if that has variables */

    ngx_array_t                    *variable_host;  /* of ..._url_part_t */
    ngx_str_t                       port_text; /* ":8080", sent after it */

    ngx_str_t                       host;      /* unless variable or unix */
    in_port_t                       port;
    ngx_str_t                       socket;    /* path of a unix socket */
    ngx_array_t                     parts;     /* of ..._url_part_t */
    CURLU                          *parsed;    /* NULL: parsed at each call */
    ngx_str_t                       redacted;  /* for the log, if parsed */
    ngx_str_t                       shown;     /* as configured, no secrets */
    ngx_http_flowdash_place_t      *place;     /* set by the caller */
    u_char                         *host_line; /* NULL: variable host */
    unsigned                        ssl:1;
    unsigned                        named:1;   /* the host may be a name */
    unsigned                        user:1;    /* it has user info */
} ngx_http_flowdash_url_t;


typedef struct ngx_http_flowdash_proxy_s {
    ngx_str_t                       url;       /* ends with a zero */
    char                           *user;      /* or NULL */
    char                           *password;
    ngx_str_t                       host;
    in_port_t                       port;
    unsigned                        ssl:1;
    unsigned                        named:1;   /* the host is a name */
} ngx_http_flowdash_proxy_t;


/*
 * Parses the URL of a flowdash_call.  Returns NULL, NGX_CONF_ERROR if memory
 * ran out, or what is wrong with the URL.
 */
const char *ngx_http_flowdash_url_parse(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, ngx_str_t *text);

/*
 * Splits a piece of a URL into literal text, which is sent unchanged, and
 * variables, whose values are percent-encoded one by one.  "parts" is an array
 * of ngx_http_flowdash_url_part_t.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_url_parts(ngx_conf_t *cf, ngx_array_t *parts,
    u_char *p, u_char *last);

/*
 * Makes the header "Host: host[:port]" (RFC 9110, section 7.2), which ends
 * with a zero instead of a line break.  Returns NULL on error.
 */
u_char *ngx_http_flowdash_url_host_line(ngx_pool_t *pool,
    ngx_http_flowdash_url_t *url, ngx_str_t *host);


#endif /* _NGX_HTTP_FLOWDASH_URL_H_INCLUDED_ */
