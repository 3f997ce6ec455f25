
#ifndef _NGX_HTTP_FLOWDASH_EXECUTIONS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_EXECUTIONS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>


#define NGX_HTTP_FLOWDASH_EXECUTIONS_MAX    100000
#define NGX_HTTP_FLOWDASH_EXECUTIONS_ID     64
#define NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS  16


/* how far it has come */

typedef enum {
    NGX_HTTP_FLOWDASH_EXECUTION_STEPS = 0,  /* its steps run */
    NGX_HTTP_FLOWDASH_EXECUTION_APP,        /* they have passed */
    NGX_HTTP_FLOWDASH_EXECUTION_ENDED,
    NGX_HTTP_FLOWDASH_EXECUTION_LOST        /* its worker died before */
} ngx_http_flowdash_execution_phase_e;


typedef enum {
    NGX_HTTP_FLOWDASH_EXECUTION_NONE = 0,   /* not yet */
    NGX_HTTP_FLOWDASH_EXECUTION_OK,
    NGX_HTTP_FLOWDASH_EXECUTION_FAILED,
    NGX_HTTP_FLOWDASH_EXECUTION_ABORTED,
    NGX_HTTP_FLOWDASH_EXECUTION_REFUSED,
    NGX_HTTP_FLOWDASH_EXECUTION_UNKNOWN
} ngx_http_flowdash_execution_outcome_e;


typedef enum {
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_NONE = 0,
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_RUNNING,
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_OK,
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_FAILED,
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_TOLERATED,
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_SKIPPED,
    NGX_HTTP_FLOWDASH_EXECUTION_STEP_UNKNOWN  /* it has not ended, and never
                                                 will */
} ngx_http_flowdash_execution_result_e;


typedef struct {
    ngx_http_flowdash_counters_t         *counters;  /* they have the name;
                                                        NULL: no room */
    ngx_http_flowdash_execution_result_e  result;
    ngx_uint_t                            reason;    /* why it failed */
    ngx_uint_t                            calls;     /* at most 255 */
    ngx_uint_t                            status;    /* 0: no answer */
    ngx_msec_t                            time;
} ngx_http_flowdash_execution_step_t;


/* how it has ended */

typedef struct {
    ngx_http_flowdash_execution_outcome_e  outcome;
    ngx_uint_t                            reason;
    ngx_uint_t                            status;      /* that the client got,
                                                          if it has failed */
    ngx_uint_t                            app_status;  /* 0: no answer */
    ngx_msec_t                            time;
} ngx_http_flowdash_execution_end_t;


/* what is sent of an execution that has undos or after-steps */

typedef struct {
    ngx_http_flowdash_execution_outcome_e  outcome;   /* of its record */
    ngx_uint_t                            waiting;
    ngx_uint_t                            done;
    ngx_uint_t                            dead;
} ngx_http_flowdash_execution_deliveries_t;


/* an execution, as a reader gets it */

typedef struct {
    time_t                                sec;       /* when it began */
    ngx_uint_t                            msec;
    ngx_pid_t                             pid;       /* of its worker */
    ngx_http_flowdash_execution_phase_e   phase;
    ngx_http_flowdash_execution_end_t     end;
    ngx_http_flowdash_execution_deliveries_t  deliveries;
    ngx_uint_t                            nsteps;    /* that have begun */
    ngx_uint_t                            nkept;     /* of these, the first */
    ngx_http_flowdash_execution_step_t    steps[
                                          NGX_HTTP_FLOWDASH_EXECUTIONS_STEPS];
    ngx_str_t                             action;    /* these are in names[] */
    ngx_str_t                             id;
    u_char                                names[NGX_HTTP_FLOWDASH_METRICS_NAME
                                          + NGX_HTTP_FLOWDASH_EXECUTIONS_ID];
} ngx_http_flowdash_execution_t;


/* Returns how much memory a ring of "n" executions takes. */
size_t ngx_http_flowdash_executions_size(ngx_uint_t n);

/* Makes an empty ring of memory that is zeros. */
ngx_http_flowdash_executions_t *ngx_http_flowdash_executions_create(
    void *memory, ngx_uint_t n);

/*
 * Takes this worker's place: what was in flight in the process that had it
 * before is lost.
 */
void ngx_http_flowdash_executions_own(ngx_http_flowdash_executions_t *ring);

/*
 * Enters an execution that begins.  Returns what its other functions need to
 * find it, or 0 if it is not kept.  They do nothing when a newer one has its
 * place.
 */
ngx_atomic_uint_t ngx_http_flowdash_executions_begin(
    ngx_http_flowdash_executions_t *ring, ngx_str_t *id, ngx_str_t *action);

/* Enters how its "i"th step is. */
void ngx_http_flowdash_executions_step(ngx_http_flowdash_zone_t *zone,
    ngx_atomic_uint_t number, ngx_uint_t i,
    ngx_http_flowdash_execution_step_t *step);

/* Enters that its steps have passed. */
void ngx_http_flowdash_executions_passed(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number);

/* Enters how it has ended. */
void ngx_http_flowdash_executions_end(ngx_http_flowdash_executions_t *ring,
    ngx_atomic_uint_t number, ngx_http_flowdash_execution_end_t *end);

/*
 * Enters what is sent of the last execution of that id, if it is kept.  One
 * worker at a time may do so for it, which need not be that of the execution.
 */
void ngx_http_flowdash_executions_deliveries(
    ngx_http_flowdash_executions_t *ring, ngx_str_t *id,
    ngx_http_flowdash_execution_deliveries_t *deliveries);

/*
 * Finds the last execution of that id.  Returns NGX_OK, or NGX_DECLINED if
 * there is none.
 */
ngx_int_t ngx_http_flowdash_executions_find(ngx_http_flowdash_zone_t *zone,
    ngx_str_t *id, ngx_http_flowdash_execution_t *execution);


#endif /* _NGX_HTTP_FLOWDASH_EXECUTIONS_H_INCLUDED_ */
