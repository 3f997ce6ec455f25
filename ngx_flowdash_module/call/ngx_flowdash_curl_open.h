
#ifndef _NGX_FLOWDASH_CURL_OPEN_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_OPEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* Prepares the worker: asks how many descriptors it may have. */
void ngx_flowdash_curl_open_init(ngx_log_t *log);

/*
 * Tells whether more than 15/16 of the worker's descriptors are in use.  Then
 * none should be spent on idle connections.
 */
ngx_uint_t ngx_flowdash_curl_open_is_scarce(void);

/*
 * Opens a socket for libcurl and remembers it.  Returns (ngx_socket_t) -1 on
 * error, which is logged, with ngx_socket_errno set.
 */
ngx_socket_t ngx_flowdash_curl_open(int family, int type, int protocol);

/*
 * Returns what this error of ngx_flowdash_curl_open() means, or NULL if it may
 * be the address's.
 */
const char *ngx_flowdash_curl_open_error(ngx_err_t err);

/* Forgets a socket that is closed next. */
void ngx_flowdash_curl_open_forget(ngx_socket_t fd);

/* Closes the sockets that are still open, in libcurl's place. */
void ngx_flowdash_curl_open_close_all(void);

/* Forgets all sockets: libcurl has closed them. */
void ngx_flowdash_curl_open_exit(void);


#endif /* _NGX_FLOWDASH_CURL_OPEN_H_INCLUDED_ */
