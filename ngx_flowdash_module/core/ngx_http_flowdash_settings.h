
#ifndef _NGX_HTTP_FLOWDASH_SETTINGS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_SETTINGS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_id.h>
#include <ngx_http_flowdash_outcome.h>
#include <ngx_http_flowdash_template.h>
#include <ngx_http_flowdash_outbox.h>
#include <ngx_http_flowdash_conf_util.h>


/* what the directives have set; it does not change while nginx runs */


/* defined in the rooms above; here they are only pointed to */

typedef struct ngx_http_flowdash_url_s  ngx_http_flowdash_url_t;
typedef struct ngx_http_flowdash_proxy_s  ngx_http_flowdash_proxy_t;
typedef struct ngx_http_flowdash_retry_s  ngx_http_flowdash_retry_t;
typedef struct ngx_flowdash_curl_handles_s  ngx_flowdash_curl_handles_t;
typedef struct ngx_http_flowdash_zone_s  ngx_http_flowdash_zone_t;


/* a member of "user", a field that is set, or a header of a step's request */

typedef struct {
    ngx_str_t                       name;
    ngx_http_complex_value_t        value;
    ngx_http_flowdash_place_t      *place;
    unsigned                        json:1;    /* not a string */
} ngx_http_flowdash_param_t;


/* where the stored task, or the user, is fetched from */

typedef struct {
    ngx_array_t                     path;      /* of ..._url_part_t */
    ngx_array_t                     args;
    ngx_array_t                    *pointer;   /* NULL: the default */
} ngx_http_flowdash_from_t;


/* a variable that a value of the request is extracted into */

typedef enum {
    NGX_HTTP_FLOWDASH_FROM_BODY = 0,
    NGX_HTTP_FLOWDASH_FROM_QUERY,
    NGX_HTTP_FLOWDASH_FROM_TASK,
    NGX_HTTP_FLOWDASH_FROM_STORED
} ngx_http_flowdash_extract_from_e;


typedef struct {
    ngx_str_t                      *name;      /* one for each variable */
    ngx_http_flowdash_place_t      *place;
    ngx_http_flowdash_extract_from_e  from;
    ngx_array_t                     pointer;   /* of ..._token_t */
    ngx_array_t                     names;     /* of ngx_str_t: up to the
                                                  first selector */
    ngx_array_t                     rest;      /* of ..._token_t: from it on */
} ngx_http_flowdash_extract_t;


typedef struct {
    ngx_http_flowdash_from_t        from;
    ngx_str_t                       pointer_text;  /* as it was configured */
    ngx_msec_t                      cache;     /* 0: each action asks */
} ngx_http_flowdash_user_from_t;


typedef struct {
    ngx_http_complex_value_t        key;
    ngx_msec_t                      time;      /* since the response */
    ngx_msec_t                      wait;
} ngx_http_flowdash_once_conf_t;


/* a field that is set from an answer */

typedef struct {
    ngx_str_t                       name;
    ngx_str_t                       spelling;  /* as JSON, with its quotes */
    ngx_array_t                    *pointer;   /* of ..._token_t */
    ngx_str_t                       pointer_text;  /* as it was configured */
    ngx_uint_t                      required;  /* unsigned  required:1; */
} ngx_http_flowdash_from_answer_t;


/* a part of a template; without a value, it is sent as it is */

typedef struct {
    ngx_str_t                       text;
    ngx_http_complex_value_t       *value;
    ngx_http_flowdash_template_place_e  place;
} ngx_http_flowdash_body_part_t;


typedef struct {
    ngx_array_t                     parts;     /* of ..._body_part_t */
    ngx_uint_t                      form;      /* unsigned  form:1; no JSON */
} ngx_http_flowdash_set_body_t;


/* how this worker delivers a flowdash_undo or flowdash_after, see pace.h */

typedef struct {
    ngx_uint_t                      calls;     /* in flight */
    ngx_uint_t                      waiting;   /* for one of them to end */
    ngx_uint_t                      failures;  /* not reached, in a row */
    ngx_msec_t                      until;     /* if so, not called before */
    ngx_msec_t                      logged;    /* the last line */
    ngx_uint_t                      lines;     /* it stands for; 0: none yet */
} ngx_http_flowdash_pace_t;


typedef enum {
    NGX_HTTP_FLOWDASH_KIND_STEP = 0,
    NGX_HTTP_FLOWDASH_KIND_UNDO,           /* flowdash_undo of a step */
    NGX_HTTP_FLOWDASH_KIND_AFTER           /* flowdash_after */
} ngx_http_flowdash_kind_e;


typedef struct ngx_http_flowdash_step_s  ngx_http_flowdash_step_t;

struct ngx_http_flowdash_step_s {
    ngx_str_t                       name;      /* of an undo: its step's */
    ngx_str_t                       counted;   /* by this name: "undo NAME",
                                                  "after NAME", or NAME */
    ngx_http_flowdash_kind_e        kind;
    u_char                          id[NGX_HTTP_FLOWDASH_ID_STEP_LEN];
    void                          **loc_conf;  /* of its nameless location */
    ngx_http_flowdash_step_t       *undo;      /* or NULL */
    ngx_str_t                       endpoint;  /* scheme and host, to show */
    ngx_str_t                       method;    /* proxy_method, to show */
    ngx_http_complex_value_t       *action;    /* NULL: named after it */
    ngx_http_complex_value_t       *condition;
    ngx_flag_t                      optional;
    ngx_uint_t                      tolerates; /* conditions; 0: all */
    ngx_atomic_t                    warned;    /* see count_ignored() */
    ngx_atomic_t                    dropped;   /* see count_dropped() */
    ngx_http_flowdash_pace_t        pace;
};


typedef struct {
    /* indexes of nginx's variables; the first ones describe the body */
    ngx_array_t                     body_variables;  /* of ngx_int_t */
    ngx_int_t                       request_id;
    ngx_int_t                       request_method;

    ngx_array_t                     actions;   /* of ..._loc_conf_t * */
    ngx_shm_zone_t                 *zone;
    size_t                          zone_size;  /* of the table */
    ngx_uint_t                      executions;  /* the zone keeps the last */
    ngx_http_flowdash_zone_t       *counters;  /* NULL: nothing is counted */

    ngx_array_t                    *hosts;     /* from /etc/hosts, if needed */
    ngx_int_t                       keepalive;
    time_t                          keepalive_timeout;
    time_t                          keepalive_time;
    ngx_msec_t                      longest_timeout;  /* of flowdash_call's */
    ngx_http_flowdash_place_t      *status;    /* the first flowdash_status */
    ngx_http_flowdash_place_t      *user_cache;  /* the first cache= */
    ngx_http_flowdash_place_t      *once;      /* the first flowdash_once */
    ngx_array_t                     user_names;  /* of ngx_str_t: the ends of
                                                    $flowdash_user_NAME */
    ngx_uint_t                      generation;  /* of the configuration */
    ngx_array_t                     extracted; /* of ngx_str_t *: variables */
    ngx_array_t                    *secrets;   /* of ..._secret_t *, or NULL */
    ngx_http_flowdash_place_t      *whole_place;  /* the first undo or after */
    ngx_http_flowdash_outbox_conf_t  *outbox;  /* NULL: none */

    unsigned                        steps:1;
    unsigned                        guard:1;   /* flowdash_guard is used */
    unsigned                        calls:1;
    unsigned                        non_idempotent:1;  /* POST is repeated */
    unsigned                        task_variables:1;  /* or the user's */
    unsigned                        whole:1;   /* an action is */
    unsigned                        task_digest:1;  /* is a variable used */
} ngx_http_flowdash_main_conf_t;


#define NGX_HTTP_FLOWDASH_TLSV1          0x0002
#define NGX_HTTP_FLOWDASH_TLSV1_1        0x0004
#define NGX_HTTP_FLOWDASH_TLSV1_2        0x0008
#define NGX_HTTP_FLOWDASH_TLSV1_3        0x0010


typedef struct {
    ngx_flag_t                      guard;
    ngx_http_complex_value_t       *action;    /* NULL: not an action */
    ngx_array_t                    *methods;   /* of ngx_str_t; NULL: all */
    ngx_array_t                    *types;     /* of ngx_str_t; NULL: all */
    ngx_uint_t                      strict;    /* rules, see strict.h */
    ngx_array_t                    *user;      /* of ..._param_t */
    ngx_http_flowdash_user_from_t  *user_from; /* NULL: off */
    ngx_flag_t                      require_user;
    ngx_array_t                    *pointer;   /* of ngx_str_t, decoded */
    ngx_str_t                       pointer_text;  /* as it was configured */
    ngx_uint_t                      task_required;
    ngx_http_flowdash_from_t       *task_from;
    ngx_array_t                    *set;       /* of ..._param_t */
    ngx_array_t                    *extracts;  /* of ..._extract_t */
    size_t                          max_fields_size;
    ngx_uint_t                      max_fields;
    ngx_flag_t                      decode;
    ngx_http_complex_value_t       *dry_run;   /* NULL: never */
    ngx_http_complex_value_t       *outcome;   /* NULL: statuses decide */
    ngx_array_t                    *success;   /* of ..._statuses_t */
    ngx_http_flowdash_once_conf_t  *once;      /* NULL: off */

    ngx_array_t                    *steps;     /* of ..._step_t * */
    ngx_uint_t                      own_steps; /* not inherited */
    ngx_array_t                    *afters;    /* of ..._step_t *, or NULL */
    ngx_uint_t                      own_afters;  /* not inherited */
    ngx_uint_t                      whole;     /* it has undos or afters */
    ngx_str_t                       server;    /* of an action: the first name
                                                  of its server */
    ngx_str_t                       location;  /* and its own, as written */
    void                          **loc_conf;  /* of it, of all modules */
    ngx_http_flowdash_places_t      places;

    ngx_http_flowdash_step_t       *step;      /* NULL: not in a step */
    ngx_http_flowdash_url_t        *url;
    ngx_flowdash_curl_handles_t    *handles;
    ngx_str_t                       method;    /* ends with a zero; or POST */
    void                           *format;    /* of flowdash_status */
    ngx_http_core_loc_conf_t       *no_app;    /* NULL: something is there */

    ngx_array_t                    *headers;   /* of ..._param_t */
    ngx_http_flowdash_set_body_t   *set_body;  /* NULL: the module's own */
    ngx_array_t                    *pass_fields;  /* of ngx_str_t; NULL: all */
    ngx_array_t                    *hide_fields;  /* of ngx_str_t, or NULL */
    ngx_uint_t                      hide_none; /* of those it would inherit */
    ngx_array_t                    *from_answer;  /* of ..._from_answer_t */
    ngx_array_t                    *accept;    /* of ngx_str_t; NULL: all */
    ngx_uint_t                      accept_given;  /* is no default */
    ngx_uint_t                      foreign;   /* answers have no "task" */
    ngx_flag_t                      require_json;

    ngx_msec_t                      connect_timeout;
    ngx_msec_t                      timeout;
    ngx_msec_t                      deadline;
    size_t                          max_response_size;

    ngx_flag_t                      error_detail;
    ngx_array_t                    *pass_status;  /* of ngx_uint_t, or NULL */
    ngx_uint_t                      result_headers;  /* see its header */
    ngx_array_t                    *languages; /* see error_language.h */

    ngx_http_flowdash_retry_t      *retry;     /* NULL: off */
    ngx_flag_t                      resend;
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


#endif /* _NGX_HTTP_FLOWDASH_SETTINGS_H_INCLUDED_ */
