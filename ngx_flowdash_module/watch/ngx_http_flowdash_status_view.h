
#ifndef _NGX_HTTP_FLOWDASH_STATUS_VIEW_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_recent.h>


/* what is shown of a step, and of an action with its steps */

typedef struct {
    ngx_str_t                        name;
    ngx_str_t                        endpoint;  /* scheme and host, or empty */
    ngx_flag_t                       optional;
    ngx_http_flowdash_kind_e         kind;
    ngx_uint_t                       undoes;    /* which step, if an undo */
    ngx_http_flowdash_counters_t    *counters;
    ngx_http_flowdash_recent_t       recent;
    ngx_uint_t                       failing;   /* in the last minutes */
    ngx_uint_t                       tolerated; /* but the actions continue */
    ngx_uint_t                       slow;
} ngx_http_flowdash_step_view_t;


/* in the order in which actions are shown */

typedef enum {
    NGX_HTTP_FLOWDASH_VIEW_FAILING = 0,
    NGX_HTTP_FLOWDASH_VIEW_DEGRADED,   /* a step is slow, or fails without
                                          ending the action */
    NGX_HTTP_FLOWDASH_VIEW_FINE,
    NGX_HTTP_FLOWDASH_VIEW_IDLE,
    NGX_HTTP_FLOWDASH_VIEW_STATES      /* the number of them */
} ngx_http_flowdash_view_state_e;


typedef struct {
    ngx_str_t                        name;
    ngx_http_flowdash_counters_t    *counters;
    ngx_http_flowdash_recent_t       recent;
    ngx_uint_t                       failing;   /* itself, or its app */
    ngx_uint_t                       refused;   /* by no step, but failing */
    ngx_uint_t                       stop;      /* the step that stops it */
    ngx_http_flowdash_view_state_e   state;
    ngx_array_t                      steps;     /* of ..._step_view_t */
    ngx_array_t                      deliveries;  /* of the same: undos, then
                                                     after-steps */
} ngx_http_flowdash_action_view_t;


typedef struct {
    ngx_http_flowdash_zone_t        *zone;
    time_t                           seconds;   /* that "recent" is about */
    ngx_array_t                      actions;   /* of ..._action_view_t */
    ngx_uint_t                       failing;   /* how many of them */
    ngx_uint_t                       states[NGX_HTTP_FLOWDASH_VIEW_STATES];
    ngx_uint_t                       configured;  /* how many come first */
    unsigned                         sorted:1;    /* the others are sorted */
    ngx_http_flowdash_failure_t     *failures;
    ngx_uint_t                       nfailures;
} ngx_http_flowdash_view_t;


/*
 * Collects the configured actions, in the order of the configuration, and then
 * those whose names came from variables.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_status_view(ngx_http_request_t *r,
    ngx_http_flowdash_main_conf_t *fmcf, ngx_http_flowdash_view_t *view);


/* Returns the word for a state, such as "failing". */
const char *ngx_http_flowdash_status_view_state(
    ngx_http_flowdash_view_state_e state);

/*
 * Returns how the "i"th step of an action is or, behind the last one, the app:
 * "bad", "weak" (bad, but tolerated), "refused" (by the app), "slow", "none"
 * (not reached), or "".
 */
const char *ngx_http_flowdash_status_view_station(
    ngx_http_flowdash_action_view_t *action, ngx_uint_t i);

/* Finds the names in a failure, and the id; they stay in the failure. */
void ngx_http_flowdash_status_view_texts(ngx_http_flowdash_failure_t *failure,
    ngx_str_t *action, ngx_str_t *step, ngx_str_t *id);

/* Returns why an action has failed, or "aborted", "refused" or "unknown". */
ngx_str_t *ngx_http_flowdash_status_view_reason(
    ngx_http_flowdash_failure_t *failure);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_VIEW_H_INCLUDED_ */
