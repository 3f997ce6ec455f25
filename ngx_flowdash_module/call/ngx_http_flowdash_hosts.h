
#ifndef _NGX_HTTP_FLOWDASH_HOSTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HOSTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a name in the hosts file, with all its addresses */

typedef struct {
    ngx_str_t                              name;     /* lower case */
    ngx_str_t                              addrs;    /* "127.0.0.1,[::1]" */
} ngx_http_flowdash_host_t;


/* the longest name in the DNS, and the longest part of one */
#define NGX_HTTP_FLOWDASH_NAME_LEN   253
#define NGX_HTTP_FLOWDASH_LABEL_LEN  63


/* an address in brackets, followed by a comma or a zero */
#define NGX_HTTP_FLOWDASH_ADDR_LEN  (NGX_INET6_ADDRSTRLEN + sizeof("[],") - 1)


/*
 * Reads the system's hosts file into the array "hosts", sorted by name.  A
 * file that is missing or cannot be read counts as empty.  Returns NGX_OK, or
 * NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_hosts_read(ngx_conf_t *cf, ngx_array_t *hosts);

/*
 * Finds the addresses of a name in lower case; returns NULL if there are none.
 */
ngx_str_t *ngx_http_flowdash_hosts_find(ngx_array_t *hosts, ngx_str_t *name);

/* Tells whether a name is valid in the DNS. */
ngx_uint_t ngx_http_flowdash_hosts_valid(ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_HOSTS_H_INCLUDED_ */
