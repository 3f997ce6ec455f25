
#ifndef _NGX_HTTP_FLOWDASH_RECORD_LINES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_LINES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash_record_members.h>


/*
 * Adds what a line says to the record, which the first line makes: it is NULL
 * before.  Returns NGX_OK; NGX_DECLINED, with reader->error, if such a line
 * cannot follow; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_record_lines_add(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, ngx_http_flowdash_record_t **record);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_LINES_H_INCLUDED_ */
