
#ifndef _NGX_HTTP_FLOWDASH_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_method.h>
#include <ngx_http_flowdash_marker.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_outcome.h>
#include <ngx_http_flowdash_settings.h>


/* as in the first line of CHANGES */

#define NGX_HTTP_FLOWDASH_VERSION  "1.0.0"


/* defined in the rooms above; here they are only pointed to */

typedef struct ngx_http_flowdash_sources_s  ngx_http_flowdash_sources_t;
typedef struct ngx_http_flowdash_call_s  ngx_http_flowdash_call_t;
typedef struct ngx_http_flowdash_counters_s  ngx_http_flowdash_counters_t;
typedef struct ngx_http_flowdash_whole_s  ngx_http_flowdash_whole_t;
typedef struct ngx_http_flowdash_once_s  ngx_http_flowdash_once_t;


/* what evaluating a directive's value gives */

typedef struct {
    ngx_str_t                       text;
    unsigned                        escaped:1;   /* control characters are */
    ngx_str_t                       twice;       /* the last such field, as
                                                    JSON; or no data */
    unsigned                        ambiguous:1; /* a field has two readings */
    unsigned                        missing:1;   /* the task lacks a field */
    unsigned                        invalid:1;   /* JSON of what is no UTF-8 */
    unsigned                        early:1;     /* the user is not known */
    unsigned                        secret:1;    /* not to be shown */
} ngx_http_flowdash_value_t;


/* a value of flowdash_extract */

typedef struct {
    ngx_str_t                       text;
    unsigned                        ambiguous:1; /* it is not a scalar */
    unsigned                        missing:1;   /* the task lacks it */
} ngx_http_flowdash_extracted_t;


/* what the module's variables have to know, and to say, about it meanwhile */

typedef struct {
    ngx_http_flowdash_value_t      *value;
    ngx_http_flowdash_loc_conf_t   *conf;        /* of the step that is told */
    unsigned                        raw:1;       /* nothing may be escaped */
    unsigned                        read:1;      /* a field was read */
    unsigned                        secrets:1;   /* they have their values */
    unsigned                        secret:1;    /* one was asked for */
    unsigned                        failed:1;    /* a variable could not be */
} ngx_http_flowdash_evaluation_t;


/* a member of "user" */

typedef struct {
    ngx_str_t                       name;
    ngx_str_t                       value;     /* empty: null */
    unsigned                        json:1;    /* a number or the like, as it
                                                  is spelled; or a string */
} ngx_http_flowdash_member_t;


/* one of the calls that a step makes */

typedef struct {
    ngx_uint_t                      status;    /* without an answer: ours */
    ngx_uint_t                      header;    /* the answer's, even if the
                                                  rest of it failed; 0: none */
    ngx_msec_t                      time;
    ngx_http_flowdash_reason_e      error;
    unsigned                        answered:1;
    unsigned                        sent:1;    /* a byte of it may have been */
    unsigned                        opened:1;  /* a new connection */
    unsigned                        unsent:1;  /* no attempt was made */
    unsigned                        scarce:1;  /* the gateway had no connection
                                                  left for it: nothing sent */
} ngx_http_flowdash_attempt_t;


/* a step with all its calls and its answer, or a fetch */

typedef struct {
    ngx_http_flowdash_step_t       *step;
    ngx_http_request_t             *request;   /* the subrequest */
    ngx_http_flowdash_call_t       *call;      /* while libcurl works on it */

    ngx_str_t                       id;        /* sent to the endpoint */
    ngx_http_flowdash_slices_t      payload;
    ngx_array_t                     headers;   /* of ngx_keyval_t */
    ngx_array_t                     attempts;  /* of ..._attempt_t */

    ngx_uint_t                      status;    /* of the answer; 0: none */
    ngx_str_t                       content_type;
    ngx_str_t                       body;
    size_t                          allocated;

    ngx_http_flowdash_reason_e      error;
    ngx_uint_t                      failures;  /* see step/tolerance.h */
    ngx_str_t                       detail;    /* for the log */
    ngx_str_t                       url;       /* for the log, no secrets */

    ngx_msec_t                      start;
    ngx_msec_t                      time;

    ngx_http_posted_request_t       posted;    /* wakes the client's request */

    unsigned                        fetch:1;     /* of the stored task */
    unsigned                        user:1;      /* a fetch, of the user */
    unsigned                        deadline:1;  /* timed by the deadline */
    unsigned                        complete:1;  /* the last buffer came */
    unsigned                        ignored:1;   /* its answer has no task */
    unsigned                        tolerated:1; /* its failure */
    unsigned                        done:1;
} ngx_http_flowdash_exchange_t;


typedef enum {
    NGX_HTTP_FLOWDASH_READING = 0,
    NGX_HTTP_FLOWDASH_READ,
    NGX_HTTP_FLOWDASH_IDENTIFYING,
    NGX_HTTP_FLOWDASH_FETCHING,
    NGX_HTTP_FLOWDASH_WAITING,        /* for one with the same key */
    NGX_HTTP_FLOWDASH_RECORDING,      /* that a step is called */
    NGX_HTTP_FLOWDASH_RUNNING,
    NGX_HTTP_FLOWDASH_WRITING,
    NGX_HTTP_FLOWDASH_MARKING,        /* that the app is called */
    NGX_HTTP_FLOWDASH_NONE,           /* the name is empty here */
    NGX_HTTP_FLOWDASH_PASSED,
    NGX_HTTP_FLOWDASH_FAILED,
    NGX_HTTP_FLOWDASH_DRY_RUN,
    NGX_HTTP_FLOWDASH_REPLAYED,       /* the response of another one */
    NGX_HTTP_FLOWDASH_ABORTED         /* passed, the app was not called */
} ngx_http_flowdash_state_e;


typedef void (*ngx_http_flowdash_end_pt)(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx);


/* an execution: at most one per client request */

struct ngx_http_flowdash_ctx_s {
    ngx_http_flowdash_state_e       state;
    ngx_http_flowdash_loc_conf_t   *conf;
    ngx_http_flowdash_method_t      method;

    ngx_str_t                       id;
    ngx_str_t                       action;
    ngx_http_flowdash_id_trace_t    trace;
    ngx_str_t                       tracestate;
    ngx_str_t                       traceparent;  /* that the app gets */

    ngx_array_t                    *told;      /* of the user by the app, of
                                                  ..._member_t, or NULL */
    u_char                         *user_key;  /* to keep it, or NULL */
    ngx_array_t                    *user_headers;  /* for the client, of
                                                  ngx_table_elt_t, or NULL */
    ngx_str_t                       location;  /* where the user can log in */

    ngx_http_flowdash_sources_t    *sources;   /* of the task */
    ngx_http_flowdash_task_t       *own;       /* as the client sent it */
    u_char                         *task_digest;  /* of it, in hex, or NULL */
    ngx_http_flowdash_task_t       *stored;
    ngx_http_flowdash_task_t       *task;      /* as steps see it */

    /* of conf->extracts, those of body and query; NULL: cannot be told */
    ngx_http_flowdash_extracted_t  *extracted;

    ngx_http_flowdash_whole_t      *whole;     /* its record, or NULL */
    ngx_http_flowdash_evaluation_t *evaluation;  /* or NULL */
    ngx_http_flowdash_markers_t    *markers;   /* instead of secrets; or NULL
                                                  */

    ngx_uint_t                      refusal_status;  /* 0: there is a task */
    ngx_uint_t                      refusal_rule;    /* of flowdash_strict */
    ngx_str_t                       detail;    /* the reason, for the log */

    ngx_event_t                     yield;     /* to continue a long body */

    ngx_array_t                     exchanges; /* of ..._exchange_t * */
    ngx_http_flowdash_exchange_t   *exchange;  /* the current one */
    ngx_uint_t                      freed;     /* payloads, of the first */

    ngx_http_flowdash_once_t       *once;      /* NULL: it has no key */

    ngx_event_t                     timer;
    ngx_msec_t                      deadline;  /* as ngx_current_msec */

    ngx_http_flowdash_reason_e      error;
    ngx_uint_t                      status;    /* for the client */
    ngx_str_t                       message;   /* the endpoint's, for users */
    ngx_array_t                    *errors;    /* of ..._error_field_t */
    ngx_str_t                       errors_json;
    ngx_str_t                       text;      /* all that users are told */

    ngx_http_flowdash_zone_t       *zone;
    ngx_http_flowdash_counters_t   *counters;  /* NULL: no room in the zone */
    ngx_atomic_uint_t               execution; /* of the last; 0: not kept */
    ngx_msec_t                      start;
    ngx_msec_t                      time;      /* that the steps took */
    ngx_msec_t                      left_after;  /* of the request's begin */
    ngx_http_flowdash_end_pt        end;       /* before nginx logs it */
    ngx_http_handler_pt             content_handler;  /* the app's */

    ngx_http_flowdash_outcome_e     outcome;   /* of what has passed */
    ngx_uint_t                      app_status;  /* 0: it has not answered */
    ngx_str_t                       app_location;  /* its header; or empty */
    ngx_msec_t                      app_time;  /* until its header */
    ngx_msec_t                      passed;    /* as ngx_current_msec */
    ngx_uint_t                      passed_method;  /* then, of the request */
    ngx_http_upstream_t            *upstream;  /* used before it passed */
    ngx_uint_t                      upstreams; /* tried before it passed */
    const char                     *app_detail;  /* for the log, or NULL */
    ngx_buf_t                      *page;      /* in the place of nginx's */

    unsigned                        judged:1;    /* flowdash_guard agrees */
    unsigned                        identified:1;  /* the app was asked */
    unsigned                        user_cached:1;
    unsigned                        counting:1;  /* until it ends */
    unsigned                        running:1;   /* counted as running */
    unsigned                        handled:1;   /* the app's handler ran */
    unsigned                        reached:1;   /* the app may have been */
    unsigned                        fallback:1;  /* error_page has led to it */
    unsigned                        error_page:1;  /* one was used before */
    unsigned                        replaced:1;  /* by ctx->page */
    unsigned                        own_trace:1; /* the client has none */
    unsigned                        dry_run:1;   /* was asked for */
    unsigned                        started:1;   /* something was called */
    unsigned                        left:1;      /* the client has */
    unsigned                        left_logged:1;
    unsigned                        warned:1;    /* of ignored fields */
    unsigned                        joined:1;    /* the message is "errors" */
    unsigned                        user:1;      /* $flowdash_json_user is */
    unsigned                        sendfile:1;
    unsigned                        tcp_nopush:2;
};


extern ngx_module_t  ngx_http_flowdash_module;


#endif /* _NGX_HTTP_FLOWDASH_H_INCLUDED_ */
