
#ifndef _NGX_HTTP_FLOWDASH_RECORD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outcomes.h>


/*
 * The record of an execution that has undos or after-steps: what has to be
 * sent, and what is known of it.  In the outbox it is a file of lines, each of
 * which adds to what the ones before it say.
 */


/* what a part of a stored text is */

typedef enum {
    NGX_HTTP_FLOWDASH_PIECE_TEXT = 0,     /* sent as it is */
    NGX_HTTP_FLOWDASH_PIECE_SECRET,       /* the value of a flowdash_secret,
                                             put there when it is sent */
    NGX_HTTP_FLOWDASH_PIECE_UNDO,         /* the end of an undo's payload: why
                                             it is undone, and which step has
                                             failed */
    NGX_HTTP_FLOWDASH_PIECE_AFTER,        /* that of an after-step's: what the
                                             app has answered */
    NGX_HTTP_FLOWDASH_PIECE_KEY           /* the delivery's key in quotes */
} ngx_http_flowdash_piece_e;


/* how a secret is written in its place */

typedef enum {
    NGX_HTTP_FLOWDASH_PIECE_RAW = 0,      /* in a header */
    NGX_HTTP_FLOWDASH_PIECE_URI,          /* percent-encoded */
    NGX_HTTP_FLOWDASH_PIECE_STRING,       /* in a JSON string */
    NGX_HTTP_FLOWDASH_PIECE_JSON,         /* a complete JSON value */
    NGX_HTTP_FLOWDASH_PIECE_FORM          /* in a value of a form */
} ngx_http_flowdash_piece_encoding_e;


typedef struct {
    ngx_http_flowdash_piece_e            kind;
    ngx_http_flowdash_piece_encoding_e   encoding;  /* of a secret */
    ngx_str_t                            text;      /* or a secret's name */
} ngx_http_flowdash_piece_t;


typedef struct {
    ngx_str_t                            name;
    ngx_array_t                          value;     /* of ..._piece_t */
} ngx_http_flowdash_record_header_t;


typedef enum {
    NGX_HTTP_FLOWDASH_DELIVERY_WAITING = 0,
    NGX_HTTP_FLOWDASH_DELIVERY_DONE,
    NGX_HTTP_FLOWDASH_DELIVERY_DEAD       /* it is not tried again */
} ngx_http_flowdash_delivery_e;


/*
 * A call of an undo or an after-step, complete but for what only the present
 * configuration may say: scheme, host, port, TLS, proxy, rules, secrets.
 */

typedef struct {
    ngx_str_t                            name;      /* of the step or the
                                                       after-step */
    ngx_str_t                            key;       /* its Idempotency-Key */
    ngx_str_t                            host;      /* only if the URL of the
                                                       configuration has
                                                       variables there */
    ngx_array_t                          uri;       /* path and query, of
                                                       ..._piece_t */
    ngx_array_t                          headers;   /* of ..._record_header_t,
                                                       without traceparent and
                                                       signature */
    ngx_array_t                          body;      /* of ..._piece_t */
    ngx_str_t                            error;     /* why there is no call to
                                                       make; or empty */

    ngx_http_flowdash_delivery_e         state;
    ngx_uint_t                           tries;
    ngx_uint_t                           status;    /* the last; 0: none */
    unsigned                             constant:1;  /* made without any
                                                         variable */
} ngx_http_flowdash_delivery_t;


/* a step that was called, or is about to be */

typedef struct {
    ngx_str_t                            name;
    ngx_str_t                            key;       /* its Idempotency-Key */
    ngx_http_flowdash_delivery_t        *undo;      /* NULL: it has none */
    unsigned                             called:1;  /* it has a line of that */
    unsigned                             ended:1;   /* it is known how */
    unsigned                             counts:1;  /* if ended: an attempt may
                                                       have taken effect */
} ngx_http_flowdash_record_step_t;


typedef struct {
    ngx_pool_t                          *pool;      /* its own */

    ngx_str_t                            id;        /* of the execution */
    ngx_str_t                            boot;      /* of the machine; may be
                                                       empty */
    time_t                               start;     /* since 1970 */
    ngx_str_t                            server;    /* where it is configured,
                                                       see deliver/find.h */
    ngx_str_t                            location;
    ngx_str_t                            action;
    ngx_str_t                            trace;     /* 32 hex digits, and 2 of
                                                       the flags */

    ngx_str_t                            buffer;    /* of the last line */
    size_t                               held;      /* octets of the next one
                                                       that are there */

    ngx_array_t                          steps;     /* of ..._record_step_t, in
                                                       the order of calls */
    ngx_array_t                          afters;    /* of ..._delivery_t */

    ngx_http_flowdash_outcome_e          outcome;
    ngx_str_t                            reason;    /* of an undo: "status",
                                                       "refused", ... */
    ngx_str_t                            failed_step;  /* or empty */
    ngx_uint_t                           status;    /* the app's; 0: none */
    ngx_str_t                            redirect;  /* its Location; or "" */
    ngx_str_t                            response;  /* JSON, or empty */

    time_t                               again;     /* when a person has asked
                                                       for new tries; or 0 */
    unsigned                             sync:1;    /* its lines are synced */
    unsigned                             marked:1;  /* the app was called, or
                                                       is about to be */
    unsigned                             kept:1;    /* the lines have the
                                                       after-steps as they are
                                                       here */
    unsigned                             truncated:1;  /* the response; also
                                                          set while one is
                                                          still expected */
} ngx_http_flowdash_record_t;


/*
 * The lines of a record.  Each function makes one line, "MAC JSON LF", in the
 * record's buffer, which the next one uses again.  The MAC is HMAC-SHA256
 * under the key, or SHA-256 if there is none, of the MAC before it and the
 * JSON, as 64 hex digits, so that no line can be changed, left out, or moved
 * to another record.  They return NGX_OK or NGX_ERROR, also if what they need
 * is not in the record.
 *
 * "mac" may be NULL, and "line" with it: the JSON is held in the buffer, and
 * becomes the first part of the next line that is made, with a tab behind it.
 * So what was held is written, or lost, together with that one.
 *
 * "mac" holds the MAC of the last line that was written.  They do not change
 * it: a line that could not be written is no part of the record.  Whoever has
 * written one calls ngx_http_flowdash_record_written() before the next is
 * made.
 */

typedef struct {
    ngx_str_t                            key;       /* empty: none */
    u_char                               last[32];  /* zeros at the start */
    u_char                               next[32];  /* of the line that was
                                                       just made */
} ngx_http_flowdash_record_mac_t;


#define ngx_http_flowdash_record_written(mac)                                 \
    ngx_memcpy((mac)->last, (mac)->next, sizeof((mac)->last))

/*
 * The longest line of a response of so many bytes: JSON that has to be escaped
 * once more.  Other texts are escaped as well, by a tenth if they are JSON of
 * the usual kind.
 */

#define NGX_HTTP_FLOWDASH_RECORD_RESPONSE(size)  (2 * (size) + 128)


/* the first line: id, boot, time, server, location, action, trace, sync */
ngx_int_t ngx_http_flowdash_record_begin(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/*
 * A step with an undo is about to be called; with the undo, as far as it is
 * known.  It is the last one of record->steps.
 */
ngx_int_t ngx_http_flowdash_record_call(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_step_t *step,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/*
 * It has ended; with its undo if that is another now ("undo" is not NULL).  An
 * undo that is not needed after all is DONE.  If it never had one, this is the
 * only line of the step.
 */
ngx_int_t ngx_http_flowdash_record_answer(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_step_t *step, ngx_http_flowdash_delivery_t *undo,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/* The app is about to be called; with the after-steps, as far as known. */
ngx_int_t ngx_http_flowdash_record_mark(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/*
 * record->outcome and what belongs to it, with the after-steps if it is ok and
 * they are not kept.
 * Set record->truncated if a line with the response should follow: it may not.
 */
ngx_int_t ngx_http_flowdash_record_outcome(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/* record->response and record->truncated */
ngx_int_t ngx_http_flowdash_record_response(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_mac_t *mac,
    ngx_str_t *line);

/* The state of a delivery has changed, or it was tried. */
ngx_int_t ngx_http_flowdash_record_delivery(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/*
 * Tells whether these are the same deliveries, but for their states.  Returns
 * 1 or 0.
 */
ngx_uint_t ngx_http_flowdash_record_same(ngx_array_t *one, ngx_array_t *two);

/*
 * A person has asked for new tries, at record->again.  Deliveries that are
 * DEAD wait again, and none has been tried.
 */
ngx_int_t ngx_http_flowdash_record_again(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_H_INCLUDED_ */
