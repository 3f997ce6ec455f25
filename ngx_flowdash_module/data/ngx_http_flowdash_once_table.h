
#ifndef _NGX_HTTP_FLOWDASH_ONCE_TABLE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ONCE_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_id.h>


/* a key has its place in one of so many entries */

#define NGX_HTTP_FLOWDASH_ONCE_TABLE_PROBES  32

#define NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST  NGX_HTTP_FLOWDASH_ID_DIGEST_LEN


/* what becomes of a request that has a key; counted by these */

typedef enum {
    NGX_HTTP_FLOWDASH_ONCE_FIRST = 0,    /* it runs */
    NGX_HTTP_FLOWDASH_ONCE_REPLAYED,     /* a response is kept */
    NGX_HTTP_FLOWDASH_ONCE_WAITED,       /* the same, after it has waited */
    NGX_HTTP_FLOWDASH_ONCE_RUNNING,      /* another one with the key runs */
    NGX_HTTP_FLOWDASH_ONCE_DONE,         /* no response is kept */
    NGX_HTTP_FLOWDASH_ONCE_UNKNOWN,      /* the worker that ran it has died */
    NGX_HTTP_FLOWDASH_ONCE_MISMATCH,     /* the key is another request's */
    NGX_HTTP_FLOWDASH_ONCE_NO_ROOM,
    NGX_HTTP_FLOWDASH_ONCE_NO_USER,      /* a client's key without a user */
    NGX_HTTP_FLOWDASH_ONCE_RESULTS       /* the number of them */
} ngx_http_flowdash_once_result_e;


typedef enum {
    NGX_HTTP_FLOWDASH_ONCE_ENTRY_FREE = 0,
    NGX_HTTP_FLOWDASH_ONCE_ENTRY_RUNNING,
    NGX_HTTP_FLOWDASH_ONCE_ENTRY_DONE,
    NGX_HTTP_FLOWDASH_ONCE_ENTRY_UNKNOWN
} ngx_http_flowdash_once_entry_e;


/*
 * Keys and responses in shared memory, without a list that a worker could
 * leave broken: if it dies while it writes an entry, only this one is lost.
 * Responses are written one after the other, the newest over the oldest.
 */

typedef struct {
    volatile ngx_uint_t     state;       /* see above */
    ngx_uint_t              life;        /* of the worker that runs it */
    uint64_t                execution;   /* its number */
    ngx_msec_t              ended;       /* as ngx_current_msec */
    ngx_msec_t              time;        /* that it is kept from then on */
    uint64_t                position;    /* of the response */
    uint32_t                len;         /* 0: there is none */
    uint32_t                slot;        /* of the worker */
    uint32_t                id_len;
    u_char                  id[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
    u_char                  key[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
    u_char                  request[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
} ngx_http_flowdash_once_entry_t;


/* a pid can come again: each worker has a number that no other ever had */

typedef struct {
    volatile ngx_uint_t     life;
    volatile ngx_pid_t      pid;         /* 0: nobody's slot */
} ngx_http_flowdash_once_worker_t;


typedef struct {
    ngx_uint_t                        size;       /* in entries */
    ngx_http_flowdash_once_entry_t   *entries;
    ngx_http_flowdash_once_worker_t  *workers;    /* by their process slot */
    u_char                           *responses;
    size_t                            room;       /* of them, in bytes */
    uint64_t                          written;    /* of them, ever */
    uint64_t                          executions;
    ngx_atomic_t                      lives;
} ngx_http_flowdash_once_table_t;


/* a request, and what is found by its key */

typedef struct {
    u_char      key[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
    u_char      request[NGX_HTTP_FLOWDASH_ONCE_TABLE_DIGEST];
    ngx_str_t   id;                      /* of this execution */
    ngx_msec_t  time;

    ngx_http_flowdash_once_entry_t  *entry;
    uint64_t                         execution;
} ngx_http_flowdash_once_lookup_t;


/*
 * Returns how much memory a table has, in bytes, if the zone's counters have
 * "size".
 */
size_t ngx_http_flowdash_once_table_size(size_t size);

/* Makes an empty table in memory that is "..._size(size)" bytes long. */
void ngx_http_flowdash_once_table_init(ngx_http_flowdash_once_table_t *table,
    u_char *memory, size_t size);

/* This worker may run executions from now on. */
void ngx_http_flowdash_once_table_join(ngx_http_flowdash_once_table_t *table);

/*
 * Looks a key up.  If it is free, takes it for this worker, in place of the
 * oldest one that has ended, if need be.  The caller holds a lock.  Returns
 * ..._FIRST, ..._REPLAYED, with the entry, ..._RUNNING, ..._DONE,
 * ..._UNKNOWN, ..._MISMATCH or ..._NO_ROOM.
 */
ngx_http_flowdash_once_result_e ngx_http_flowdash_once_table_begin(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup, ngx_msec_t now);

/* Frees a key that this worker has taken.  The caller holds a lock. */
void ngx_http_flowdash_once_table_release(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup);

/*
 * Ends an execution whose key this worker has taken, and keeps its response,
 * unless that is empty or too long.  The caller holds a lock.
 */
void ngx_http_flowdash_once_table_end(ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup, ngx_str_t *response,
    ngx_msec_t now);

/*
 * Copies the response of an entry that has been found, and the id of its
 * execution, to "response" and "id", which have room for lookup->entry->len
 * and ..._TABLE_DIGEST bytes.  The caller holds a lock.  Returns NGX_OK, or
 * NGX_DECLINED if the entry is another one's, or the response another one,
 * since it was found.
 */
ngx_int_t ngx_http_flowdash_once_table_copy(
    ngx_http_flowdash_once_table_t *table,
    ngx_http_flowdash_once_lookup_t *lookup, ngx_str_t *response,
    ngx_str_t *id);

/* Returns the name of a result, as metrics show it. */
const char *ngx_http_flowdash_once_table_name(
    ngx_http_flowdash_once_result_e result);


#endif /* _NGX_HTTP_FLOWDASH_ONCE_TABLE_H_INCLUDED_ */
