
#ifndef _NGX_FLOWDASH_CURL_TLS_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_TLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


/* the records that have been read on a connection with TLS */

typedef struct {
    ngx_rbtree_node_t    node;          /* by OpenSSL's SSL */
    uint64_t             octets;        /* of all */
    unsigned             watched:1;
    unsigned             data:1;        /* one has data */
    unsigned             pending:1;     /* the last may have data */
} ngx_flowdash_curl_tls_t;


/* Prepares the worker. */
void ngx_flowdash_curl_tls_init(void);

/*
 * Makes the connections of an easy handle tell of their records, if libcurl
 * uses the OpenSSL that the module uses.
 */
void ngx_flowdash_curl_tls_setup(CURL *easy);

/* Begins to count the records that a transfer's connection gets, if any. */
void ngx_flowdash_curl_tls_begin(ngx_flowdash_curl_tls_t *tls, CURL *easy);

/* Counts no longer. */
void ngx_flowdash_curl_tls_end(ngx_flowdash_curl_tls_t *tls);

/* Tells whether a record with data has come, or the beginning of one. */
ngx_uint_t ngx_flowdash_curl_tls_has_data(ngx_flowdash_curl_tls_t *tls);


#endif /* _NGX_FLOWDASH_CURL_TLS_H_INCLUDED_ */
