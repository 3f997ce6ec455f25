
#ifndef _NGX_HTTP_FLOWDASH_MODULE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart.h>
#include <ngx_http_flowdash_gzip.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_sign.h>
#include <ngx_http_flowdash_resolve.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_flowdash_curl.h>


#define NGX_HTTP_FLOWDASH_VERSION  "0.1.0"


/* the values of $flowdash_error, see ngx_http_flowdash_errors[] */

typedef enum {
    NGX_HTTP_FLOWDASH_OK = 0,
    NGX_HTTP_FLOWDASH_STATUS,
    NGX_HTTP_FLOWDASH_TIMEOUT,
    NGX_HTTP_FLOWDASH_CONNECT,
    NGX_HTTP_FLOWDASH_RESOLVE,
    NGX_HTTP_FLOWDASH_TLS,
    NGX_HTTP_FLOWDASH_DENIED,
    NGX_HTTP_FLOWDASH_RESPONSE_TOO_LARGE,
    NGX_HTTP_FLOWDASH_RESPONSE_INVALID,
    NGX_HTTP_FLOWDASH_REQUEST_INVALID,
    NGX_HTTP_FLOWDASH_DEADLINE,
    NGX_HTTP_FLOWDASH_INTERNAL,
    NGX_HTTP_FLOWDASH_ERRORS           /* how many there are */
} ngx_http_flowdash_error_e;


/* a member of "user", a field that is set, or a header of a step's request */

typedef struct {
    ngx_str_t                       name;
    ngx_http_complex_value_t        value;
    unsigned                        json:1;    /* not a string */
} ngx_http_flowdash_param_t;


typedef struct {
    ngx_str_t                       text;      /* sent as it is, or else */
    ngx_http_complex_value_t       *value;     /* percent-encoded */
} ngx_http_flowdash_url_part_t;


typedef struct {
    ngx_str_t                       origin;    /* scheme, authority */
    ngx_str_t                       shown;     /* the same without user info */

    /* of ..._url_part_t; origin and shown end before it; NULL: no variables */
    ngx_array_t                    *variable_host;
    ngx_str_t                       port_text; /* ":8080", behind it */

    ngx_str_t                       host;      /* without variables */
    in_port_t                       port;
    ngx_str_t                       socket;    /* path of a unix socket */
    ngx_array_t                     parts;     /* of ..._url_part_t */
    CURLU                          *parsed;    /* NULL: anew for each call */
    ngx_str_t                       logged;    /* for logs, if it is parsed */
    u_char                         *host_line; /* NULL: variable host */
    unsigned                        ssl:1;
    unsigned                        named:1;   /* the host may be a name */
} ngx_http_flowdash_url_t;


typedef struct {
    ngx_str_t                       url;       /* these end with a zero */
    ngx_str_t                       user;
    ngx_str_t                       password;
    ngx_str_t                       host;
    in_port_t                       port;
    unsigned                        ssl:1;
    unsigned                        named:1;   /* the host is a name */
} ngx_http_flowdash_proxy_t;


/* what a call is repeated for, see ngx_http_flowdash_retry_conditions[] */

#define NGX_HTTP_FLOWDASH_RETRY_ERROR    0x0001
#define NGX_HTTP_FLOWDASH_RETRY_TIMEOUT  0x0002
#define NGX_HTTP_FLOWDASH_RETRY_429      0x0004
#define NGX_HTTP_FLOWDASH_RETRY_500      0x0008
#define NGX_HTTP_FLOWDASH_RETRY_502      0x0010
#define NGX_HTTP_FLOWDASH_RETRY_503      0x0020
#define NGX_HTTP_FLOWDASH_RETRY_504      0x0040
#define NGX_HTTP_FLOWDASH_RETRY_5XX      0x0080


typedef struct {
    ngx_uint_t                      n;
    ngx_uint_t                      conditions;
    ngx_msec_t                      timeout;   /* of an attempt; 0: a share */
} ngx_http_flowdash_retry_t;


/* where the stored task is fetched from */

typedef struct {
    ngx_array_t                     path;      /* of ..._url_part_t */
    ngx_array_t                     args;
    ngx_array_t                    *pointer;   /* NULL: flowdash_task's */
} ngx_http_flowdash_task_from_t;


typedef struct {
    ngx_str_t                       name;
    u_char                          id[NGX_HTTP_FLOWDASH_ID_STEP_LEN];
    void                          **loc_conf;  /* of its nameless location */
    ngx_http_complex_value_t       *condition;
    ngx_flag_t                      optional;
} ngx_http_flowdash_step_t;


typedef struct {
    /* what the main request's variables must forget with the old body */
    ngx_array_t                     body_variables;  /* of ngx_int_t */
    ngx_int_t                       request_id;
    ngx_int_t                       request_method;

    ngx_array_t                     actions;   /* of ..._loc_conf_t * */
    ngx_shm_zone_t                 *zone;
    ngx_http_flowdash_zone_t       *counters;  /* NULL: nothing is counted */

    ngx_array_t                    *hosts;     /* of /etc/hosts, if needed */
    ngx_int_t                       keepalive;
    time_t                          keepalive_timeout;

    unsigned                        steps:1;
    unsigned                        calls:1;
    unsigned                        status:1;  /* somewhere it is shown */
    unsigned                        non_idempotent:1;  /* are repeated */
    unsigned                        task_variables:1;
} ngx_http_flowdash_main_conf_t;


#define NGX_HTTP_FLOWDASH_TLSV1          0x0002
#define NGX_HTTP_FLOWDASH_TLSV1_1        0x0004
#define NGX_HTTP_FLOWDASH_TLSV1_2        0x0008
#define NGX_HTTP_FLOWDASH_TLSV1_3        0x0010


/* a file of certificates or with a key */

typedef struct {
    ngx_str_t                       name;
    ngx_str_t                       content;
} ngx_http_flowdash_pem_t;


typedef struct {
    ngx_http_complex_value_t       *action;    /* NULL: not an action */
    ngx_uint_t                      methods;
    ngx_array_t                    *user;      /* of ..._param_t */
    ngx_array_t                    *pointer;   /* of ngx_str_t, decoded */
    ngx_http_flowdash_task_from_t  *task_from;
    ngx_array_t                    *set;       /* of ..._param_t */
    size_t                          max_fields_size;
    ngx_flag_t                      decode;
    ngx_http_complex_value_t       *dry_run;   /* NULL: never */

    ngx_array_t                    *steps;     /* of ..._step_t * */
    ngx_uint_t                      own_steps; /* not inherited */
    ngx_str_t                       file;      /* where it was declared */
    ngx_uint_t                      line;

    ngx_http_flowdash_step_t       *step;      /* this location is a step */
    ngx_http_flowdash_url_t        *url;
    ngx_flowdash_curl_handles_t    *handles;
    void                           *format;    /* of flowdash_status */

    ngx_array_t                    *headers;   /* of ..._param_t */
    ngx_array_t                    *accept;    /* of ngx_str_t; NULL: all */

    ngx_msec_t                      connect_timeout;
    ngx_msec_t                      timeout;
    ngx_msec_t                      deadline;
    size_t                          max_response_size;

    ngx_flag_t                      error_detail;
    ngx_array_t                    *pass_status;  /* of ngx_uint_t, or NULL */

    ngx_http_flowdash_retry_t      *retry;     /* NULL: off */
    ngx_array_t                    *sign_keys; /* NULL: off */
    ngx_array_t                    *rules;     /* of ..._rule_t */
    ngx_http_flowdash_proxy_t      *proxy;     /* NULL: off */
    ngx_uint_t                      http_version;  /* libcurl's */

    ngx_flag_t                      ssl_verify;
    ngx_uint_t                      ssl_protocols;
    ngx_http_flowdash_pem_t         ssl_trusted_certificate;
    ngx_http_flowdash_pem_t         ssl_certificate;
    ngx_http_flowdash_pem_t         ssl_certificate_key;
    ngx_str_t                       ssl_pinned_key;  /* ends with a zero */
} ngx_http_flowdash_loc_conf_t;


typedef struct ngx_http_flowdash_call_s  ngx_http_flowdash_call_t;


/* one call of a step, which may need several */

typedef struct {
    ngx_uint_t                      status;    /* that of a failure: ours */
    ngx_msec_t                      time;
    unsigned                        answered:1;
    unsigned                        opened:1;  /* a connection */
} ngx_http_flowdash_attempt_t;


/* one run of a step, with its answer */

typedef struct {
    ngx_http_flowdash_step_t       *step;
    ngx_http_request_t             *request;   /* the subrequest */
    ngx_http_flowdash_call_t       *call;      /* while libcurl works on it */

    ngx_str_t                       id;        /* that endpoints know it by */
    ngx_str_t                       payload;
    ngx_array_t                     headers;   /* of ngx_keyval_t */
    ngx_array_t                     attempts;  /* of ..._attempt_t */

    ngx_uint_t                      status;    /* of the answer; 0: none */
    ngx_str_t                       content_type;
    ngx_str_t                       body;
    size_t                          allocated;

    ngx_http_flowdash_error_e       error;
    ngx_str_t                       detail;    /* for the log */
    ngx_str_t                       url;       /* for the log, no secrets */

    ngx_msec_t                      start;
    ngx_msec_t                      time;

    unsigned                        fetch:1;     /* of the stored task */
    unsigned                        deadline:1;  /* its time is the action's */
    unsigned                        complete:1;  /* its end was seen */
    unsigned                        done:1;
} ngx_http_flowdash_run_t;


typedef enum {
    NGX_HTTP_FLOWDASH_READING = 0,
    NGX_HTTP_FLOWDASH_READ,
    NGX_HTTP_FLOWDASH_FETCHING,
    NGX_HTTP_FLOWDASH_RUNNING,
    NGX_HTTP_FLOWDASH_WRITING,
    NGX_HTTP_FLOWDASH_NONE,           /* this location's name was empty */
    NGX_HTTP_FLOWDASH_PASSED,
    NGX_HTTP_FLOWDASH_FAILED,
    NGX_HTTP_FLOWDASH_DRY_RUN
} ngx_http_flowdash_state_e;


typedef enum {
    NGX_HTTP_FLOWDASH_UNKNOWN = 0,
    NGX_HTTP_FLOWDASH_JSON,
    NGX_HTTP_FLOWDASH_URLENCODED,
    NGX_HTTP_FLOWDASH_MULTIPART
} ngx_http_flowdash_type_e;


/* what the request's headers say of its body */

typedef struct {
    ngx_http_flowdash_type_e        type;
    ngx_str_t                       boundary;
    const char                     *error;     /* it cannot be read */
    ngx_uint_t                      status;    /* and what the client gets */
    unsigned                        gzip:1;
} ngx_http_flowdash_media_t;


/* how far a body has been read */

typedef struct {
    ngx_chain_t                    *cl;
    off_t                           offset;    /* in its buffer */
    u_char                         *buf;
    size_t                          turn;      /* read of files */
    unsigned                        begun:1;
} ngx_http_flowdash_pieces_t;


/* a body on its way to a file */

typedef struct {
    ngx_temp_file_t                *file;      /* NULL: none is needed */
    ngx_chain_t                    *body;
    ngx_http_flowdash_pieces_t      pieces;
} ngx_http_flowdash_copy_t;


/* what the request has of the task, in its body or in its query */

typedef struct {
    ngx_http_flowdash_task_t        task;
    ngx_http_flowdash_form_t       *form;      /* NULL: JSON */
    ngx_str_t                       text;      /* if it is in memory */
} ngx_http_flowdash_source_t;


/* an execution: at most one for each client request */

typedef struct {
    ngx_http_flowdash_state_e       state;
    ngx_http_flowdash_loc_conf_t   *conf;

    ngx_str_t                       id;
    ngx_str_t                       action;
    ngx_http_flowdash_id_trace_t    trace;
    ngx_str_t                       tracestate;

    ngx_http_flowdash_media_t       media;
    ngx_http_flowdash_pieces_t      pieces;
    ngx_http_flowdash_gzip_t       *gzip;
    ngx_http_flowdash_multipart_t  *multipart;

    ngx_http_flowdash_source_t      body;
    ngx_http_flowdash_source_t      query;
    ngx_http_flowdash_source_t     *target;    /* where new fields go */
    ngx_http_flowdash_task_t       *stored;
    ngx_http_flowdash_task_t       *task;      /* as steps see it */

    ngx_uint_t                      refused;   /* status: there is no task */
    ngx_str_t                       detail;    /* and why, for the log */

    ngx_http_flowdash_copy_t        copy;
    ngx_event_t                     turn;      /* to go on with a file */

    ngx_array_t                     runs;      /* of ..._run_t * */
    ngx_http_flowdash_run_t        *run;       /* the current one */

    ngx_event_t                     timer;
    ngx_msec_t                      deadline;  /* as ngx_current_msec */

    ngx_http_flowdash_error_e       error;
    ngx_uint_t                      status;    /* for the client */
    ngx_str_t                       message;   /* the endpoint's, for users */

    ngx_http_flowdash_zone_t       *zone;
    ngx_http_flowdash_counters_t   *counters;  /* NULL: there is no room */
    ngx_msec_t                      start;

    unsigned                        counting:1;  /* it has not ended yet */
    unsigned                        doubtful:1;  /* which field is unclear */
    unsigned                        missing:1;   /* a field just read */
    unsigned                        read:1;      /* one was */
    unsigned                        has_body:1;
    unsigned                        dry_run:1;   /* it is asked for */
    unsigned                        started:1;   /* something was called */
    unsigned                        warned:1;    /* of ignored fields */
    unsigned                        escaped:1;   /* a variable just read */
    unsigned                        raw:1;       /* do not escape it */
    unsigned                        exhausted:1; /* one could not be read */
    unsigned                        sendfile:1;
    unsigned                        tcp_nopush:2;
} ngx_http_flowdash_ctx_t;


/* what the user is told about a failure */

typedef struct {
    ngx_str_t                       action;    /* these are not escaped */
    ngx_str_t                       step;
    ngx_str_t                       text;      /* behind "The step NAME", or */
    ngx_str_t                       advice;    /* a sentence of its own */
} ngx_http_flowdash_words_t;


/* The directives that are more than a slot: "flowdash_...", see docs/. */
char *ngx_http_flowdash_conf_action(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_methods(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_user(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_task(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_task_from(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_dry_run(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_step(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_if(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_accept(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_set_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_time(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_optional(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Logs why a directive's value is wrong, and returns NGX_CONF_ERROR. */
char *ngx_http_flowdash_conf_refuse(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, const char *reason);

/* Compiles a value with variables.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_conf_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *value);

/*
 * What can only be said of a location when its inheritance is known: whether
 * action and steps belong together.  Returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


/* The directives that are about flowdash_call. */
char *ngx_http_flowdash_conf_call(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_proxy(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_flowdash_conf_pinned_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Names a directive that stands in a step without flowdash_call, where it
 * means nothing.  Returns NULL if there is none.
 */
const char *ngx_http_flowdash_conf_call_only(
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * What can only be said of a step with flowdash_call when its inheritance is
 * known.  Returns NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_flowdash_conf_call_check(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);

/*
 * Reads a file whole, with a zero behind its end.  Returns NGX_OK, or
 * NGX_ERROR, which is logged.
 */
ngx_int_t ngx_http_flowdash_conf_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content);

/*
 * The same for a secret: "name" is made a full one, white space around the
 * secret is dropped, and a file that is open to all users is warned of.
 */
ngx_int_t ngx_http_flowdash_conf_read_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content);


/*
 * Reads the URL of a flowdash_call.  Returns NULL, NGX_CONF_ERROR, or what is
 * wrong with it.
 */
const char *ngx_http_flowdash_url_parse(ngx_conf_t *cf,
    ngx_http_flowdash_url_t *url, ngx_str_t *text);

/*
 * Splits a part of an URL into what is sent as it is written, and variables,
 * whose values are percent-encoded one by one; "parts" is an array of
 * ngx_http_flowdash_url_part_t.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_url_parts(ngx_conf_t *cf, ngx_array_t *parts,
    u_char *p, u_char *last);

/*
 * Makes the URL of a call, which ends with a zero; the name of its host, which
 * is empty for a unix socket; and run->url for the log.  Returns NGX_OK,
 * NGX_ERROR, or NGX_DECLINED with run->error set if a value would lead
 * elsewhere.
 */
ngx_int_t ngx_http_flowdash_url_make(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_t *url,
    ngx_str_t *text, ngx_str_t *host);

/*
 * Makes the header "Host: host[:port]" of RFC 9110, section 7.2, which ends
 * with a zero and not with a line's end.  Returns NULL on error.
 */
u_char *ngx_http_flowdash_url_host_line(ngx_pool_t *pool,
    ngx_http_flowdash_url_t *url, ngx_str_t *host);

/*
 * Evaluates a variable in an URL and percent-encodes its value.  Returns
 * NGX_OK, NGX_DECLINED with run->error set if the value cannot be used, or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_url_part(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_url_part_t *part,
    ngx_str_t *text);

/*
 * Tells whether a path, which starts with a slash, has "." or ".." as one of
 * its parts: libcurl leaves these alone, but servers resolve them.
 */
ngx_uint_t ngx_http_flowdash_url_dot_segment(u_char *p, u_char *last);


/*
 * The precontent phase handler, entered again after the body was read and
 * after each step.  Returns NGX_DECLINED to let the request go on.
 */
ngx_int_t ngx_http_flowdash_action_handler(ngx_http_request_t *r);

/* The execution of a main request, internal redirects included, or NULL. */
ngx_http_flowdash_ctx_t *ngx_http_flowdash_get_ctx(ngx_http_request_t *r);


/*
 * The client's body as one piece of memory; its length is 0 without a body.
 * Returns NGX_OK, NGX_ERROR, or NGX_HTTP_INTERNAL_SERVER_ERROR when reading
 * the file failed in which nginx has kept it.
 */
ngx_int_t ngx_http_flowdash_body_read(ngx_http_request_t *r, ngx_str_t *text);

/* The length of the client's body, in bytes. */
off_t ngx_http_flowdash_body_length(ngx_http_request_t *r);

/*
 * The body's next piece, which is valid until the next call.  Returns NGX_OK,
 * NGX_DONE behind the last one, NGX_AGAIN when other requests should have a
 * turn, or as ngx_http_flowdash_body_read().
 */
ngx_int_t ngx_http_flowdash_body_piece(ngx_http_request_t *r,
    ngx_http_flowdash_pieces_t *pieces, ngx_str_t *piece);

/*
 * Tells how the body can be read by its Content-Type and Content-Encoding; if
 * it cannot, media->error and media->status say why.
 */
void ngx_http_flowdash_body_media(ngx_http_request_t *r, ngx_uint_t decode,
    ngx_http_flowdash_media_t *media);


/*
 * Replaces the client's body by a text, with all headers and variables that
 * describe a body; the Content-Encoding goes if the text was decoded.  Returns
 * as ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_replace_text(ngx_http_request_t *r,
    ngx_str_t *text, ngx_uint_t decoded, ngx_http_flowdash_copy_t *copy);

/*
 * Applies edits (ngx_http_flowdash_form_edit_t) to the body: what they do not
 * mention stays where nginx has it.  Returns as
 * ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_replace_edits(ngx_http_request_t *r,
    ngx_array_t *edits, ngx_http_flowdash_copy_t *copy);

/*
 * Goes on with writing a changed body to a file.  Returns NGX_OK, NGX_AGAIN
 * when other requests should have a turn, or as ngx_http_flowdash_body_read().
 */
ngx_int_t ngx_http_flowdash_replace_copy(ngx_http_request_t *r,
    ngx_http_flowdash_copy_t *copy);

/* Sets the Content-Type to JSON's.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_replace_set_json(ngx_http_request_t *r);

/* Variables about the body and the query are evaluated anew. */
void ngx_http_flowdash_replace_forget(ngx_http_request_t *r);

/*
 * Makes a GET request without a body of the client's.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_replace_drop(ngx_http_request_t *r);


/*
 * Finds the fields of the task in the request.  Returns NGX_OK, with
 * ctx->task, or ctx->refused if they cannot be told; NGX_AGAIN when other
 * requests should have a turn; or as ngx_http_flowdash_body_read().
 */
ngx_int_t ngx_http_flowdash_source_read(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Lays the request's fields over the stored task.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_lay(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Gives a field of the task the value of "new".  Returns NGX_OK, NGX_DECLINED
 * with "error" set if the request cannot say it, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_source_set(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Tells whether the request can say the value of "new".  Returns as the
 * function above, or NGX_DONE if the field remains what it is.
 */
ngx_int_t ngx_http_flowdash_source_check(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_field_t *new, const char **error);

/*
 * Sets the fields of flowdash_set.  Returns as
 * ngx_http_flowdash_source_set().
 */
ngx_int_t ngx_http_flowdash_source_preset(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error);

/*
 * Writes what was changed into the request.  Returns as
 * ngx_http_flowdash_replace_copy().
 */
ngx_int_t ngx_http_flowdash_source_write(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


/*
 * Starts to fetch the stored task.  Returns NGX_OK with ctx->run set, which is
 * already done if the URI cannot be used, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_fetch_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Takes the fetched task.  Returns NGX_OK, with run->error set if it is none,
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_fetch_end(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


/*
 * Says by what the execution is known: derives ctx->id from the client's
 * Idempotency-Key, and continues the client's trace, or begins one.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Adds the headers, as ngx_keyval_t, by which a step is known, for all of its
 * calls.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_identity_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run,
    ngx_array_t *headers);

/* The same for one call, with its signature. */
ngx_int_t ngx_http_flowdash_identity_call(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run,
    ngx_array_t *headers);


/*
 * Starts the next step: evaluates its request and posts the subrequest.
 * Returns NGX_OK with ctx->run set, which is already done and has an error if
 * the step's request cannot be made, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_start(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);

/*
 * Tells whether a step is to be run.  Returns NGX_OK, NGX_DECLINED if it is
 * not, with run->error set if it cannot be told, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_condition(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run);

/*
 * Makes the payload and the headers of a step's request.  Returns NGX_OK,
 * NGX_DECLINED with run->error set if a value cannot be sent, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_step_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run);

/*
 * Creates a background subrequest in memory, whose answer belongs to the run.
 * Returns it, or NULL on error.
 */
ngx_http_request_t *ngx_http_flowdash_step_create(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_str_t *uri, ngx_str_t *args);

/*
 * The members of "user" as ngx_keyval_t, the id first.  Returns NULL when
 * memory ran out, or with run->error set if a value cannot be said in JSON;
 * without a run, such a value is left out.
 */
ngx_array_t *ngx_http_flowdash_step_user(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_loc_conf_t *flcf);

/* Tells whether flowdash_set_header sets a header, to nothing or a value. */
ngx_uint_t ngx_http_flowdash_step_header_is_set(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_str_t *name);

/* Sets a subrequest's method, also for $request_method. */
void ngx_http_flowdash_step_set_method(ngx_http_request_t *sr,
    ngx_uint_t method, ngx_str_t *name);

/* Starts the time of ctx->run. */
void ngx_http_flowdash_step_set_timer(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_loc_conf_t *flcf);

/* The subrequest's post handler, by which it is known as a step's. */
ngx_int_t ngx_http_flowdash_step_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc);


/*
 * Sets ctx->dry_run if the action is only to be shown.  Returns NGX_OK,
 * NGX_DECLINED with "error" set if it cannot be told, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_dry_run_asked(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, const char **error);

/*
 * Ends an execution by answering to the client what its steps would send.
 * Returns what the phase handler returns.
 */
ngx_int_t ngx_http_flowdash_dry_run(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


/* Inserts the body filter that collects the answers of steps. */
ngx_int_t ngx_http_flowdash_answer_init(ngx_conf_t *cf);

/*
 * Adds a piece of the answer's body.  Returns NGX_OK, NGX_DECLINED with
 * run->error set when the answer has become too large, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_answer_add(ngx_http_flowdash_run_t *run,
    u_char *p, size_t len);

/*
 * Judges how the subrequest ended, "rc" being what it was finalized with:
 * sets run->status, and run->error unless it has succeeded.
 */
void ngx_http_flowdash_answer_judge(ngx_http_flowdash_run_t *run,
    ngx_int_t rc);

/*
 * Says in run->detail what is wrong with a JSON text.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_answer_detail(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_http_flowdash_json_t *json);

/*
 * Lays the fields of a good answer over the task.  Returns NGX_OK, with
 * run->error set if the answer is not what it says, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_answer_merge(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run);


/* The content handler of a step with flowdash_call. */
ngx_int_t ngx_http_flowdash_call_handler(ngx_http_request_t *r);

/* The options that all calls of a location have in common. */
ngx_int_t ngx_http_flowdash_call_setup(CURL *easy, void *data);

/* Ends a call at once; the subrequest is left to the caller. */
void ngx_http_flowdash_call_abort(ngx_http_flowdash_call_t *call);


/* The directive "flowdash_retry". */
char *ngx_http_flowdash_retry_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The condition of flowdash_retry that a status fulfils, or 0. */
ngx_uint_t ngx_http_flowdash_retry_status(ngx_uint_t status);

/* The time of one attempt, in ms, or 0 if only that of the step counts. */
ngx_msec_t ngx_http_flowdash_retry_time(ngx_http_flowdash_loc_conf_t *flcf);

/*
 * Decides whether a call is repeated which has failed in that way, after so
 * many attempts; "after" is the endpoint's Retry-After in seconds or 0, "left"
 * the time that the step has, in ms.  Returns NGX_OK with the time to wait, in
 * ms, or NGX_DECLINED.
 */
ngx_int_t ngx_http_flowdash_retry(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_uint_t condition, ngx_uint_t attempts, ngx_int_t after,
    ngx_msec_int_t left, ngx_msec_t *wait);


/* The directive "flowdash_status". */
char *ngx_http_flowdash_status_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* The directive "flowdash_pass_status". */
char *ngx_http_flowdash_error_pass_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The name of an error as in $flowdash_error. */
ngx_str_t *ngx_http_flowdash_error_name(ngx_http_flowdash_error_e error);

/* The status that an error has for the client. */
ngx_uint_t ngx_http_flowdash_error_status(ngx_http_flowdash_error_e error);

/*
 * Ends an execution that has failed, with one line in the error log, and
 * answers the client by nginx's error_page or by the module's own page.
 * "status" is 0 for the error's usual one, "detail" is for the log and may be
 * empty.  Returns what the phase handler returns.
 */
ngx_int_t ngx_http_flowdash_error(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_e error,
    ngx_uint_t status, ngx_str_t *detail);

/* Makes the page about a failure.  Returns NULL on error. */
ngx_buf_t *ngx_http_flowdash_error_page(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_words_t *words);

/*
 * Finds what the endpoint's answer says to the user: at most 1 kB of UTF-8 in
 * one line, without control characters; empty if it is nothing.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_error_message(ngx_http_request_t *r,
    ngx_http_flowdash_run_t *run, ngx_str_t *text);

/*
 * The same with a text: one line, without control characters, cut to "size"
 * bytes; empty if it is no UTF-8.
 */
ngx_int_t ngx_http_flowdash_error_clean(ngx_http_request_t *r, ngx_str_t *text,
    size_t size, ngx_str_t *clean);


/* Makes the counters of all actions and steps whose names are known. */
void ngx_http_flowdash_count_configured(ngx_http_flowdash_main_conf_t *fmcf,
    ngx_log_t *log);

/* Counts an execution that begins, and how it has ended. */
void ngx_http_flowdash_count_started(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);
void ngx_http_flowdash_count_ended(ngx_http_flowdash_ctx_t *ctx);

/* Counts a step that was run, with its calls. */
void ngx_http_flowdash_count_step(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run);


/* Writes the line about an action that has failed, and the step, if any. */
void ngx_http_flowdash_log_failed(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_error_e error,
    ngx_str_t *detail);

/* The same about an optional step. */
void ngx_http_flowdash_log_excused(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run);

/* The same about a call that is repeated, after "wait" ms. */
void ngx_http_flowdash_log_repeated(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_run_t *run,
    ngx_http_flowdash_error_e error, ngx_msec_t wait);


/*
 * Evaluates a value of a flowdash_ directive against the client's request.
 * Returns NGX_OK, with ctx->escaped set if one of the module's variables had
 * control characters, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *val, ngx_str_t *value);

/* The same with the control characters as they are, for JSON to escape. */
ngx_int_t ngx_http_flowdash_value_raw(ngx_http_request_t *r,
    ngx_http_complex_value_t *val, ngx_str_t *value);

/*
 * Tells whether a value is neither empty nor "0".  Returns NGX_OK,
 * NGX_DECLINED if it is, with ctx->doubtful set if it has read a field that is
 * unclear, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_value_test(ngx_http_request_t *r,
    ngx_http_complex_value_t *val);

/*
 * Values of the variables for another view of the request: none, but for
 * those that were set by directives, and the id.  Returns NULL on error.
 */
ngx_http_variable_value_t *ngx_http_flowdash_variables_copy(
    ngx_http_request_t *r);

/* Adds the module's variables.  Returns NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_flowdash_variables_add(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_flowdash_module;


#endif /* _NGX_HTTP_FLOWDASH_MODULE_H_INCLUDED_ */
