
#ifndef _NGX_HTTP_FLOWDASH_RECORD_MAC_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_MAC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>


/* of a MAC in hex */

#define NGX_HTTP_FLOWDASH_RECORD_MAC_LEN                                      \
    (2 * sizeof(((ngx_http_flowdash_record_mac_t *) NULL)->last))


/* where the JSON of a line begins */

#define NGX_HTTP_FLOWDASH_RECORD_JSON                                         \
    (NGX_HTTP_FLOWDASH_RECORD_MAC_LEN + 1)

/* between two parts of a line; JSON as it is written here never has one */

#define NGX_HTTP_FLOWDASH_RECORD_NEXT  '\t'


/*
 * Computes the MAC of a line that comes after mac->last, to mac->next, and
 * writes its hex digits to "hex".  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_record_mac(ngx_http_flowdash_record_mac_t *mac,
    ngx_str_t *json, u_char *hex);

/*
 * Tells whether "hex" is the MAC of such a line, in a time that says nothing
 * about the right one; mac->next is that one.  Returns NGX_OK, NGX_DECLINED if
 * it is not, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_record_mac_check(
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *json, u_char *hex);

/* Forgets the key: before the worker ends. */
void ngx_http_flowdash_record_mac_free(void);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_MAC_H_INCLUDED_ */
