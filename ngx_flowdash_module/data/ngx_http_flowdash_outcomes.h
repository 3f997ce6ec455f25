
#ifndef _NGX_HTTP_FLOWDASH_OUTCOMES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTCOMES_H_INCLUDED_


/* how an execution ended */

typedef enum {
    NGX_HTTP_FLOWDASH_OUTCOME_NONE = 0,   /* it has not, or nobody knows */
    NGX_HTTP_FLOWDASH_OUTCOME_OK,
    NGX_HTTP_FLOWDASH_OUTCOME_FAILED,     /* a step; the app was not called */
    NGX_HTTP_FLOWDASH_OUTCOME_REFUSED,    /* the app did not do it */
    NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN     /* whether it did cannot be told */
} ngx_http_flowdash_outcome_e;


#endif /* _NGX_HTTP_FLOWDASH_OUTCOMES_H_INCLUDED_ */
