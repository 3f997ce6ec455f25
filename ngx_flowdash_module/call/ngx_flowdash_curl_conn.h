
#ifndef _NGX_FLOWDASH_CURL_CONN_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_CONN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_flowdash_curl_idle.h>
#include <ngx_flowdash_curl_use.h>

#include <curl/curl.h>


/* a socket of libcurl's: c->data of its connection */

typedef struct {
    ngx_rbtree_node_t          node;         /* by descriptor */
    ngx_connection_t          *connection;
    ngx_flowdash_curl_idle_t   idle;
    CURL                      *easy;         /* that uses it; NULL: idle */
    ngx_queue_t                queue;        /* of frozen ones */
    curl_off_t                 id;           /* libcurl's, of the connection;
                                                -1: not known */
    ngx_msec_t                 read_at;      /* when something came */
    ngx_uint_t                 port;         /* its own, of TCP; or 0 */
    ngx_queue_t                same;         /* of kept ones whose ports are
                                                alike */
    ngx_flowdash_curl_tcp_count_t   count;   /* when it became idle */
    ngx_flowdash_curl_use_t   *use;          /* a request, since it was idle;
                                                or NULL */
    unsigned                   connected:1;
    unsigned                   closed:1;     /* libcurl may not yet have said
                                                so */
    unsigned                   http2:1;
    unsigned                   frozen:1;
    unsigned                   kept:1;       /* idle, and no suspect */
} ngx_flowdash_curl_conn_t;


/* Prepares the worker. */
void ngx_flowdash_curl_conn_init(ngx_log_t *log);

/* Gives all of nginx's connections back; sockets may be closed, or not. */
void ngx_flowdash_curl_conn_free_all(void);

/* Finds a socket by its descriptor.  Returns NULL if it is not known. */
ngx_flowdash_curl_conn_t *ngx_flowdash_curl_conn_find(curl_socket_t fd);

/*
 * Finds the socket of a transfer's connection.  Returns NULL if it is not
 * known, as with libcurl before 8.2.
 */
ngx_flowdash_curl_conn_t *ngx_flowdash_curl_conn_find_of(CURL *easy);

/*
 * Tells which connection of libcurl's a transfer uses, or has used; -1 if
 * libcurl does not say so.
 */
curl_off_t ngx_flowdash_curl_conn_id(CURL *easy);

/* Marks a socket as frozen, or no longer. */
void ngx_flowdash_curl_conn_freeze(ngx_flowdash_curl_conn_t *s);
void ngx_flowdash_curl_conn_thaw(ngx_flowdash_curl_conn_t *s);

/* Tells whether any socket is frozen. */
ngx_uint_t ngx_flowdash_curl_conn_has_frozen(void);

/* Tells whether a socket with this id is frozen. */
ngx_uint_t ngx_flowdash_curl_conn_is_frozen(curl_off_t id);

/*
 * Makes a connection for a socket; "handler" gets its events.  Returns NGX_OK
 * with the connection in "cp", NGX_BUSY if nginx has none left, or NGX_ERROR;
 * both errors are logged.
 */
ngx_int_t ngx_flowdash_curl_conn_create(curl_socket_t fd,
    ngx_event_handler_pt handler, ngx_connection_t **cp);

/*
 * Frees the connection, not its socket.  "flags" may be NGX_CLOSE_EVENT only
 * if the socket is closed next: it stays registered otherwise.
 */
void ngx_flowdash_curl_conn_free(ngx_connection_t *c, ngx_uint_t flags);

/*
 * A connection has become idle: from now on nginx may take it back whenever it
 * needs one, by c->close and the handler of its events.
 */
void ngx_flowdash_curl_conn_add_idle(ngx_flowdash_curl_conn_t *s);

/* It is idle no longer. */
void ngx_flowdash_curl_conn_remove_idle(ngx_flowdash_curl_conn_t *s);

/* It is idle, but not used again: see ngx_flowdash_curl_idle_suspect(). */
void ngx_flowdash_curl_conn_suspect(ngx_flowdash_curl_conn_t *s);

/*
 * Returns the next kept connection after "s" whose own port is this one, the
 * first one if "s" is NULL, or NULL.  "port" is not 0.
 */
ngx_flowdash_curl_conn_t *ngx_flowdash_curl_conn_next_kept(
    ngx_flowdash_curl_conn_t *s, ngx_uint_t port);

/* Waits until it can be read, written.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_flowdash_curl_conn_watch(ngx_connection_t *c, ngx_uint_t in,
    ngx_uint_t out);

/* Waits for nothing, and drops events that are posted; "flags" as above. */
void ngx_flowdash_curl_conn_delete_events(ngx_connection_t *c,
    ngx_uint_t flags);

/* Drops events that are posted. */
void ngx_flowdash_curl_conn_delete_posted(ngx_connection_t *c);

/* Tells whether a descriptor is open. */
ngx_uint_t ngx_flowdash_curl_conn_is_open(ngx_socket_t fd);

/* Tells whether a socket is a stream with a peer. */
ngx_uint_t ngx_flowdash_curl_conn_is_connected(ngx_socket_t fd);


#endif /* _NGX_FLOWDASH_CURL_CONN_H_INCLUDED_ */
