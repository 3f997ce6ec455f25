
#ifndef _NGX_HTTP_FLOWDASH_COMPOSE_PIECE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_COMPOSE_PIECE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_call.h>
#include <ngx_http_flowdash_record.h>


/*
 * Sets "text" to what is sent for a piece, from call->pool if it is no text of
 * the record's own.  Returns NGX_OK; NGX_DECLINED with ex->error set if it
 * needs a secret that is no longer configured; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_compose_piece(ngx_http_flowdash_call_t *call,
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_piece_t *piece,
    ngx_str_t *text);


#endif /* _NGX_HTTP_FLOWDASH_COMPOSE_PIECE_H_INCLUDED_ */
