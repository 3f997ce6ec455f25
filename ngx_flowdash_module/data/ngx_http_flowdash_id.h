
#ifndef _NGX_HTTP_FLOWDASH_ID_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_slices.h>

#include <openssl/evp.h>


#define NGX_HTTP_FLOWDASH_ID_KEY_MAX          255
#define NGX_HTTP_FLOWDASH_ID_DIGEST_LEN       64
#define NGX_HTTP_FLOWDASH_ID_STEP_LEN         16
#define NGX_HTTP_FLOWDASH_ID_EXECUTION_LEN    32
#define NGX_HTTP_FLOWDASH_ID_TRACEPARENT_LEN  55


/* SHA-256 of a list of strings */

typedef struct {
    EVP_MD_CTX      *ctx;         /* NULL: failed or complete */
} ngx_http_flowdash_id_digest_t;


/* what all calls of an execution share, in lower-case hex */

typedef struct {
    u_char           id[32];
    u_char           flags[2];
} ngx_http_flowdash_id_trace_t;


/*
 * Reads the value of an Idempotency-Key: a string of RFC 8941, or the same
 * without quotes.  Returns NGX_OK with the key, which lies in the header
 * unless it has escapes; NGX_DECLINED if it is not valid; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_id_key(ngx_str_t *header, ngx_str_t *key,
    ngx_pool_t *pool);

/* Begins a digest.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_id_digest_init(
    ngx_http_flowdash_id_digest_t *digest);

/*
 * Adds a string with its length, so that the digest tells ("a", "bc") from
 * ("ab", "c").  Returns NGX_OK, or NGX_ERROR also if the digest has failed
 * before.
 */
ngx_int_t ngx_http_flowdash_id_digest_add(
    ngx_http_flowdash_id_digest_t *digest, ngx_str_t *s);

/* The same for a string in slices. */
ngx_int_t ngx_http_flowdash_id_digest_add_slices(
    ngx_http_flowdash_id_digest_t *digest, ngx_http_flowdash_slices_t *slices);

/*
 * Ends a digest and writes it as ..._DIGEST_LEN hex digits.  Returns NGX_OK,
 * or NGX_ERROR also if the digest has failed before.
 */
ngx_int_t ngx_http_flowdash_id_digest_final(
    ngx_http_flowdash_id_digest_t *digest, u_char *hex);

/*
 * Writes the end of the ids of a step's calls: ..._STEP_LEN hex digits, a hash
 * of the step's name.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_id_step(ngx_str_t *name, u_char *hex);

/*
 * The same for the undo of a step, or an after-step: "kind" is "undo" or
 * "after".  No step has the same, whatever its name is.
 */
ngx_int_t ngx_http_flowdash_id_delivery(const char *kind, ngx_str_t *name,
    u_char *hex);

/*
 * Reads the value of a traceparent (W3C Trace Context).  Returns NGX_OK, or
 * NGX_DECLINED if it is not valid, with "trace" unchanged.
 */
ngx_int_t ngx_http_flowdash_id_trace_parse(ngx_str_t *traceparent,
    ngx_http_flowdash_id_trace_t *trace);

/* Begins a new trace.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_id_trace_begin(
    ngx_http_flowdash_id_trace_t *trace);

/*
 * Writes a traceparent with a new parent id, ..._TRACEPARENT_LEN bytes.
 * Returns its end, or NULL on error.
 */
u_char *ngx_http_flowdash_id_traceparent(u_char *buf,
    ngx_http_flowdash_id_trace_t *trace);

/*
 * Writes a random id for an execution: ..._EXECUTION_LEN hex digits, as in
 * $request_id.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_id_execution(u_char *hex);

/*
 * Writes "len" random bytes, at most 1024.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_id_random(u_char *p, size_t len);


#endif /* _NGX_HTTP_FLOWDASH_ID_H_INCLUDED_ */
