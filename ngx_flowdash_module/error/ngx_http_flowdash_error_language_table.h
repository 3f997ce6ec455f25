
#ifndef _NGX_HTTP_FLOWDASH_ERROR_LANGUAGE_TABLE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_ERROR_LANGUAGE_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what a page can say */

typedef enum {
    NGX_HTTP_FLOWDASH_ERROR_TITLE = 0,      /* has %V for the action's name */
    NGX_HTTP_FLOWDASH_ERROR_TITLE_UNNAMED,
    NGX_HTTP_FLOWDASH_ERROR_TITLE_REPEATED, /* the request came before */

    /* what happened at a step: these have %V for the step */

    NGX_HTTP_FLOWDASH_ERROR_REFUSED,
    NGX_HTTP_FLOWDASH_ERROR_FAILED,
    NGX_HTTP_FLOWDASH_ERROR_TIMEOUT,
    NGX_HTTP_FLOWDASH_ERROR_UNREACHABLE,
    NGX_HTTP_FLOWDASH_ERROR_UNSAFE,
    NGX_HTTP_FLOWDASH_ERROR_UNUSABLE,
    NGX_HTTP_FLOWDASH_ERROR_NOT_CALLED,
    NGX_HTTP_FLOWDASH_ERROR_LATE,
    NGX_HTTP_FLOWDASH_ERROR_NOT_RUN,
    NGX_HTTP_FLOWDASH_ERROR_NO_APP_BUT,     /* for the steps carried out */

    /* what happened without a step */

    NGX_HTTP_FLOWDASH_ERROR_NO_ACTION,
    NGX_HTTP_FLOWDASH_ERROR_NO_TASK,
    NGX_HTTP_FLOWDASH_ERROR_WHO,
    NGX_HTTP_FLOWDASH_ERROR_NO_LOGIN,
    NGX_HTTP_FLOWDASH_ERROR_FORBIDDEN,
    NGX_HTTP_FLOWDASH_ERROR_GATEWAY,
    NGX_HTTP_FLOWDASH_ERROR_NO_APP,
    NGX_HTTP_FLOWDASH_ERROR_TOO_MUCH,
    NGX_HTTP_FLOWDASH_ERROR_JSON_AS_FORM,
    NGX_HTTP_FLOWDASH_ERROR_UNKNOWN_TYPE,
    NGX_HTTP_FLOWDASH_ERROR_TWO_METHODS,
    NGX_HTTP_FLOWDASH_ERROR_UNREADABLE,

    /* what became of the same request, which came before */

    NGX_HTTP_FLOWDASH_ERROR_DONE,
    NGX_HTTP_FLOWDASH_ERROR_NOT_KNOWN,
    NGX_HTTP_FLOWDASH_ERROR_STILL_RUNS,
    NGX_HTTP_FLOWDASH_ERROR_OTHER_KEY,

    NGX_HTTP_FLOWDASH_ERROR_ANSWER,         /* before the endpoint's message */
    NGX_HTTP_FLOWDASH_ERROR_UNCHANGED,
    NGX_HTTP_FLOWDASH_ERROR_UNDOING,        /* after ..._NO_APP_BUT */
    NGX_HTTP_FLOWDASH_ERROR_ADVICE,         /* a heading */

    /* what the user can do */

    NGX_HTTP_FLOWDASH_ERROR_AGAIN,
    NGX_HTTP_FLOWDASH_ERROR_WAIT,
    NGX_HTTP_FLOWDASH_ERROR_REPAIR,
    NGX_HTTP_FLOWDASH_ERROR_SHORTEN,
    NGX_HTTP_FLOWDASH_ERROR_SUPPORT,
    NGX_HTTP_FLOWDASH_ERROR_LOGIN,
    NGX_HTTP_FLOWDASH_ERROR_LOOK,
    NGX_HTTP_FLOWDASH_ERROR_RELOAD,

    NGX_HTTP_FLOWDASH_ERROR_BACK,           /* a link */
    NGX_HTTP_FLOWDASH_ERROR_ID,             /* before the execution's id */
    NGX_HTTP_FLOWDASH_ERROR_SAYINGS         /* the number of them */
} ngx_http_flowdash_error_saying_e;


/*
 * UTF-8 without ", \, &, < and >, so that it needs no escapes.  Each saying
 * ends with a zero and has its %V, and no other %: it is a format.
 */

typedef struct {
    ngx_str_t                       tag;    /* BCP 47 */
    ngx_uint_t                      rtl;    /* it is written from the right */
    ngx_str_t                       space;  /* between sentences */
    ngx_str_t                       sayings[NGX_HTTP_FLOWDASH_ERROR_SAYINGS];
} ngx_http_flowdash_error_language_t;


/* the table of all languages ends with an empty tag; the first is English */

extern ngx_http_flowdash_error_language_t
    ngx_http_flowdash_error_languages[];


#endif /* _NGX_HTTP_FLOWDASH_ERROR_LANGUAGE_TABLE_H_INCLUDED_ */
