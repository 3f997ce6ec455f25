
#ifndef _NGX_FLOWDASH_CURL_HANDLE_H_INCLUDED_
#define _NGX_FLOWDASH_CURL_HANDLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <curl/curl.h>


/* Sets options of an easy handle.  Returns NGX_OK or NGX_ERROR. */
typedef ngx_int_t (*ngx_flowdash_curl_setup_pt)(CURL *easy, void *data);


/*
 * The easy handles of one flowdash_call of the configuration.  The options
 * that its transfers have in common are set once, when a handle is created; an
 * idle handle keeps them for the next transfer.
 */

typedef struct ngx_flowdash_curl_handles_s {
    ngx_flowdash_curl_setup_pt    setup;
    void                         *data;      /* of setup */
    ngx_queue_t                   idle;
    ngx_uint_t                    nidle;
    unsigned                      tls:1;     /* its transfers may use TLS */
} ngx_flowdash_curl_handles_t;


typedef struct {
    CURL                         *easy;
    void                         *user;      /* NULL while it is idle */
    ngx_flowdash_curl_handles_t  *owner;
    ngx_queue_t                   queue;     /* in the owner's idle ones */
    ngx_queue_t                   all;       /* in the worker's */
    char                          error[CURL_ERROR_SIZE];
} ngx_flowdash_curl_handle_t;


/*
 * Prepares the worker.  Handles share the TLS sessions of "share"; unless
 * "keepalive" is 0, libcurl keeps their connections, idle ones for
 * "keepalive_timeout" seconds, and none for longer than "keepalive_time".
 */
void ngx_flowdash_curl_handle_init(ngx_log_t *log, CURLSH *share,
    ngx_uint_t keepalive, time_t keepalive_timeout, time_t keepalive_time);

/* Frees all handles of the worker; none may be in use. */
void ngx_flowdash_curl_handle_exit(void);

/*
 * Creates an easy handle that belongs to the caller, with the options that all
 * have: they keep libcurl from blocking the worker and from acting on its own.
 * Returns NULL on error.
 */
CURL *ngx_flowdash_curl_handle_create_easy(void);

/*
 * Takes an idle handle, or creates one.  "user" is what
 * ngx_flowdash_curl_handle_user() tells.  Returns NULL on error.
 */
ngx_flowdash_curl_handle_t *ngx_flowdash_curl_handle_get(
    ngx_flowdash_curl_handles_t *handles, void *user);

/* Makes a handle idle, or frees it if it is worn or enough are idle. */
void ngx_flowdash_curl_handle_put(ngx_flowdash_curl_handle_t *handle,
    ngx_uint_t worn);

/*
 * Leaves a handle to the multi handle that was abandoned with it: libcurl may
 * crash if it is freed.
 */
void ngx_flowdash_curl_handle_abandon(ngx_flowdash_curl_handle_t *handle);

/* Returns who uses an easy handle, or NULL. */
void *ngx_flowdash_curl_handle_user(CURL *easy);

/*
 * Removes from OpenSSL's queue the errors that libcurl leaves there: nginx
 * would take them for its own.
 */
void ngx_flowdash_curl_handle_clear_errors(void);

/*
 * Frees the idle handles of an ngx_flowdash_curl_handles_t; the cleanup
 * handler of its configuration.
 */
void ngx_flowdash_curl_handle_forget(void *handles);


#endif /* _NGX_FLOWDASH_CURL_HANDLE_H_INCLUDED_ */
