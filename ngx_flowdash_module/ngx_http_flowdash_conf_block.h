
#ifndef _NGX_HTTP_FLOWDASH_CONF_BLOCK_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_CONF_BLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the text of a block, and how far its directives have been read */

typedef struct {
    ngx_str_t        file;
    off_t            offset;    /* where the block begins in the file */
    u_char          *pos;       /* of its text */
    u_char          *last;
    ngx_uint_t       line;
    ngx_uint_t       end_line;  /* how far nginx has read */
    unsigned         named:1;   /* the name of a directive was the last */
} ngx_http_flowdash_conf_block_t;


/* Remembers where a block begins, when nginx has read its "{". */
void ngx_http_flowdash_conf_block_begin(ngx_conf_t *cf,
    ngx_http_flowdash_conf_block_t *block);

/*
 * Reads the text from there on, as far as nginx has come.  Returns NGX_OK,
 * NGX_DECLINED if there is no such text, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_conf_block_read(ngx_conf_t *cf,
    ngx_http_flowdash_conf_block_t *block);

/*
 * Reads a whole file, which nginx has included in a block.  Returns NGX_OK,
 * NGX_DECLINED if it cannot be read, or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_conf_block_read_file(ngx_conf_t *cf,
    ngx_str_t *name, ngx_http_flowdash_conf_block_t *block);

/*
 * Finds the name of the next directive, but not inside of inner blocks and
 * included files, and its line.  Returns NGX_OK, or NGX_DONE after the last.
 */
ngx_int_t ngx_http_flowdash_conf_block_next(
    ngx_http_flowdash_conf_block_t *block, ngx_str_t *name, ngx_uint_t *line);

/*
 * Reads the first value of the directive whose name was found last.  Returns
 * NGX_OK, or NGX_DONE if it has none.
 */
ngx_int_t ngx_http_flowdash_conf_block_value(
    ngx_http_flowdash_conf_block_t *block, ngx_str_t *value);

/*
 * Finds the line of a directive in what is left of the block; if it has none,
 * as in an included file, the line that nginx has come to.
 */
ngx_uint_t ngx_http_flowdash_conf_block_line(
    ngx_http_flowdash_conf_block_t *block, const char *name);


#endif /* _NGX_HTTP_FLOWDASH_CONF_BLOCK_H_INCLUDED_ */
