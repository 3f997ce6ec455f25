
#ifndef _NGX_HTTP_FLOWDASH_RECORD_MEMBERS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_MEMBERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_record.h>


typedef struct {
    ngx_pool_t                          *pool;
    const char                          *error;     /* if NGX_DECLINED */
} ngx_http_flowdash_record_reader_t;


/*
 * Reads a member to where "value" points.  Returns NGX_OK; NGX_DECLINED, with
 * reader->error, if it is not of its type; or NGX_ERROR.
 */
typedef ngx_int_t (*ngx_http_flowdash_record_member_pt)(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);


/* of a table, which ends with an empty name */

typedef struct {
    ngx_str_t                            name;
    ngx_http_flowdash_record_member_pt   read;
    size_t                               offset;    /* of the value */
    ngx_uint_t                           required;  /* unsigned  required:1; */
} ngx_http_flowdash_record_member_t;


/*
 * Reads the members of an object into the struct at "base".  Members that the
 * table does not have, that are there twice, or that are missing, are refused.
 * Returns as ..._member_pt does.
 */
ngx_int_t ngx_http_flowdash_record_members(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node,
    ngx_http_flowdash_record_member_t *members, void *base);

/* A text: to an ngx_str_t. */
ngx_int_t ngx_http_flowdash_record_members_text(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);

/* A number: to an ngx_uint_t. */
ngx_int_t ngx_http_flowdash_record_members_number(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);

/* true or false: to an ngx_uint_t. */
ngx_int_t ngx_http_flowdash_record_members_flag(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);

/* A word of this list: its place in it. */
ngx_int_t ngx_http_flowdash_record_members_word(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, ngx_str_t *words, ngx_uint_t *value);

/* A delivery: to a pointer, which is set to a new one. */
ngx_int_t ngx_http_flowdash_record_members_delivery(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);

/* An array of deliveries: to an ngx_array_t, which is initialized. */
ngx_int_t ngx_http_flowdash_record_members_deliveries(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);

/* The state of a delivery: to an ngx_http_flowdash_delivery_e. */
ngx_int_t ngx_http_flowdash_record_members_state(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_MEMBERS_H_INCLUDED_ */
