
#ifndef _NGX_HTTP_FLOWDASH_JSON_SCAN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_SCAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_http_flowdash_json_scan_s  ngx_http_flowdash_json_scan_t;


/*
 * Called for a token, whose place is scan->start and scan->end.  Returns
 * NGX_OK, NGX_DECLINED to stop, or NGX_ERROR.
 */
typedef ngx_int_t (*ngx_http_flowdash_json_scan_pt)(
    ngx_http_flowdash_json_scan_t *scan);


typedef struct {
    ngx_http_flowdash_json_scan_pt     start;    /* of an array or object */
    ngx_http_flowdash_json_scan_pt     end;
    ngx_http_flowdash_json_scan_pt     name;     /* of a member */
    ngx_http_flowdash_json_scan_pt     scalar;   /* its first byte tells what
                                                    it is */
} ngx_http_flowdash_json_events_t;


typedef enum {
    NGX_HTTP_FLOWDASH_JSON_SCAN_OK = 0,
    NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE,       /* one that JSON cannot have */
    NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED,  /* not JSON for another reason */
    NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP,       /* over ..._JSON_DEPTH levels */
    NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED,    /* a function has declined */
    NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR       /* a function has failed */
} ngx_http_flowdash_json_scan_e;


struct ngx_http_flowdash_json_scan_s {
    /* set by the caller */

    ngx_str_t                          text;
    const ngx_http_flowdash_json_events_t
                                      *events;
    void                              *data;

    /* the token; of a string, the quotes belong to it */

    u_char                            *start;
    u_char                            *end;
    unsigned                           escaped:1;  /* a string has escapes, */
    unsigned                           half:1;     /* or half of a surrogate
                                                      pair */

    size_t                             offset;   /* of what is wrong */

    u_char                            *pos;      /* all before is good */
};


/*
 * Reads a JSON text (RFC 8259, in UTF-8) once, and calls scan->events for its
 * tokens.  A text that has a byte which JSON cannot have is judged by this
 * alone, wherever the byte is.  Returns the verdict, with scan->offset set.
 */
ngx_http_flowdash_json_scan_e ngx_http_flowdash_json_scan(
    ngx_http_flowdash_json_scan_t *scan);


#endif /* _NGX_HTTP_FLOWDASH_JSON_SCAN_H_INCLUDED_ */
