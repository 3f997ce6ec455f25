
#ifndef _NGX_HTTP_FLOWDASH_STATUS_PAGE_STATION_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_STATUS_PAGE_STATION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>


/* The drawing is 1200 units wide, which the page scales to its own width. */

#define NGX_HTTP_FLOWDASH_FLOW_ACTION   268   /* where the line begins */
#define NGX_HTTP_FLOWDASH_FLOW_FIRST    304   /* the first step */
#define NGX_HTTP_FLOWDASH_FLOW_APP      1040
#define NGX_HTTP_FLOWDASH_FLOW_COLUMNS  4

#define NGX_HTTP_FLOWDASH_FLOW_LINE     30    /* below the top of a row */
#define NGX_HTTP_FLOWDASH_FLOW_ROW      78    /* how high a row is */
#define NGX_HTTP_FLOWDASH_FLOW_MARKED   91    /* with a station in a box */
#define NGX_HTTP_FLOWDASH_FLOW_IDLE     44
#define NGX_HTTP_FLOWDASH_FLOW_UNDO     16    /* more, if a step has one */


typedef struct {
    ngx_http_flowdash_output_t       *out;
    ngx_http_flowdash_view_t         *view;
    ngx_http_flowdash_action_view_t  *action;
    ngx_uint_t                        columns;
    ngx_uint_t                        pitch;     /* of the columns */
    ngx_uint_t                        row;       /* its height */
    ngx_uint_t                        undo;      /* where an undo is in it; 0:
                                                    there is none */
    ngx_uint_t                        afters;    /* how many */
    ngx_uint_t                        left;      /* runs that still pass */
} ngx_http_flowdash_flow_t;


/* Draws a step or an after-step; "room" is for its texts. */
void ngx_http_flowdash_status_page_station_call(
    ngx_http_flowdash_flow_t *flow, ngx_http_flowdash_step_view_t *step,
    const char *class, ngx_uint_t x, ngx_uint_t y, ngx_uint_t room);

/* Writes below a step that it has an undo, and what became of these. */
void ngx_http_flowdash_status_page_station_undo(
    ngx_http_flowdash_flow_t *flow, ngx_http_flowdash_step_view_t *undo,
    ngx_uint_t x, ngx_uint_t y);

/* Draws the dot of any station. */
void ngx_http_flowdash_status_page_station(
    ngx_http_flowdash_flow_t *flow, const char *class, ngx_uint_t x,
    ngx_uint_t y);


#endif /* _NGX_HTTP_FLOWDASH_STATUS_PAGE_STATION_H_INCLUDED_ */
