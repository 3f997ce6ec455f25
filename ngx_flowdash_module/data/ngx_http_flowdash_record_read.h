
#ifndef _NGX_HTTP_FLOWDASH_RECORD_READ_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>


/*
 * Reads the lines of a record into a new one, which has everything from the
 * pool.  Octets from the first zero on are space that was reserved, and zeros
 * only.  A last line without its end was being written when the worker died:
 * it is ignored, and "length" is where it begins; the next line is written
 * over it.
 *
 * Returns NGX_OK, with "mac" as it is after the last line; NGX_DONE if there
 * is no whole line: it ended before the app or a step with an undo was called,
 * unless power was lost and it was not synced; NGX_DECLINED, with "error", if
 * it is no record of this version, or was changed; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_record_read(ngx_str_t *text, ngx_pool_t *pool,
    ngx_http_flowdash_record_mac_t *mac, ngx_http_flowdash_record_t **record,
    size_t *length, const char **error);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_READ_H_INCLUDED_ */
