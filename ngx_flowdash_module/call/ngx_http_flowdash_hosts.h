
#ifndef _NGX_HTTP_FLOWDASH_HOSTS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_HOSTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* of the hosts file */

typedef struct {
    ngx_str_t                              name;     /* lower case */
    ngx_str_t                              addrs;    /* "127.0.0.1,[::1]" */
} ngx_http_flowdash_host_t;


/* of a name in the DNS */
#define NGX_HTTP_FLOWDASH_NAME_LEN   253
#define NGX_HTTP_FLOWDASH_LABEL_LEN  63


/* an address in brackets, with a comma or a null behind it */
#define NGX_HTTP_FLOWDASH_ADDR_LEN  (NGX_INET6_ADDRSTRLEN + sizeof("[],") - 1)


/*
 * Reads the system's hosts file, and makes the array "hosts" of it, sorted by
 * name.  A file that is not there or cannot be read has no hosts.  Returns
 * NGX_OK, or NGX_ERROR if memory ran out.
 */
ngx_int_t ngx_http_flowdash_hosts_read(ngx_conf_t *cf, ngx_array_t *hosts);

/*
 * Finds the addresses of a name in lower case; returns NULL if there are none.
 */
ngx_str_t *ngx_http_flowdash_hosts_find(ngx_array_t *hosts, ngx_str_t *name);

/* Tells whether a name could be one in the DNS. */
ngx_uint_t ngx_http_flowdash_hosts_valid(ngx_str_t *name);


#endif /* _NGX_HTTP_FLOWDASH_HOSTS_H_INCLUDED_ */
