
/*
 * Reads a block of the configuration once more, when nginx has read it.  What
 * other modules have made of their directives is private to them; but their
 * names, and the lines where they are, can be read in the file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_conf_block.h>


static void ngx_http_flowdash_conf_block_token(
    ngx_http_flowdash_conf_block_t *block, ngx_str_t *text);
static u_char *ngx_http_flowdash_conf_block_token_end(u_char *p,
    u_char *last);


void
ngx_http_flowdash_conf_block_begin(ngx_conf_t *cf,
    ngx_http_flowdash_conf_block_t *block)
{
    ngx_buf_t  *b;

    ngx_memzero(block, sizeof(ngx_http_flowdash_conf_block_t));

    if (cf->conf_file->file.fd == NGX_INVALID_FILE) {
        return;
    }

    b = cf->conf_file->buffer;

    block->file = cf->conf_file->file.name;
    block->offset = cf->conf_file->file.offset - (b->last - b->pos);
    block->line = cf->conf_file->line;
}


ngx_int_t
ngx_http_flowdash_conf_block_read(ngx_conf_t *cf,
    ngx_http_flowdash_conf_block_t *block)
{
    off_t        size;
    ssize_t      n;
    ngx_buf_t   *b;
    ngx_file_t   file;

    if (block->file.len == 0) {
        return NGX_DECLINED;
    }

    b = cf->conf_file->buffer;
    file = cf->conf_file->file;

    size = file.offset - (b->last - b->pos) - block->offset;

    block->pos = ngx_palloc(cf->temp_pool, size);
    if (block->pos == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_file(&file, block->pos, size, block->offset);

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (n != size) {
        return NGX_DECLINED;
    }

    block->last = block->pos + n;
    block->end_line = cf->conf_file->line;
    block->named = 0;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_conf_block_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_flowdash_conf_block_t *block)
{
    ssize_t          n;
    ngx_int_t        rc;
    ngx_file_t       file;
    ngx_file_info_t  fi;

    ngx_memzero(block, sizeof(ngx_http_flowdash_conf_block_t));
    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (file.fd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (ngx_fd_info(file.fd, &fi) != NGX_FILE_ERROR) {

        block->pos = ngx_palloc(cf->temp_pool, ngx_file_size(&fi));
        if (block->pos == NULL) {
            rc = NGX_ERROR;

        } else {
            n = ngx_read_file(&file, block->pos, ngx_file_size(&fi), 0);

            if (n != NGX_ERROR) {
                block->last = block->pos + n;
                rc = NGX_OK;
            }
        }
    }

    (void) ngx_close_file(file.fd);

    return rc;
}


/* as ngx_conf_read_token() */

ngx_int_t
ngx_http_flowdash_conf_block_next(ngx_http_flowdash_conf_block_t *block,
    ngx_str_t *name, ngx_uint_t *line)
{
    ngx_str_t   text;
    ngx_uint_t  depth;

    depth = 0;

    while (block->pos < block->last) {

        switch (*block->pos) {

        case LF:
            block->line++;
            block->pos++;
            continue;

        case ' ':
        case '\t':
        case CR:
            block->pos++;
            continue;

        case '#':
            while (block->pos < block->last && *block->pos != LF) {
                block->pos++;
            }

            continue;

        case '{':
            depth++;
            block->named = 0;
            block->pos++;
            continue;

        case '}':
            if (depth-- == 0) {
                block->pos = block->last;
                return NGX_DONE;
            }

            block->named = 0;
            block->pos++;
            continue;

        case ';':
            block->named = 0;
            block->pos++;
            continue;
        }

        *line = block->line;

        ngx_http_flowdash_conf_block_token(block, &text);

        if (block->named) {
            continue;
        }

        block->named = 1;

        if (depth == 0) {
            *name = text;
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


/* behind a token that has the end of a block of Lua, nothing is read */

static void
ngx_http_flowdash_conf_block_token(ngx_http_flowdash_conf_block_t *block,
    ngx_str_t *text)
{
    u_char  *p, *start, *last;

    start = block->pos;
    last = ngx_http_flowdash_conf_block_token_end(start, block->last);

    for (p = start; p < last; p++) {
        if (*p == LF) {
            block->line++;
        }
    }

    block->pos = last;

    if (*start == '"' || *start == '\'') {
        start++;
        last--;
    }

    text->data = start;
    text->len = (last > start) ? last - start : 0;

    if (text->len > sizeof("_by_lua_block") - 1
        && ngx_strncmp(last - (sizeof("_by_lua_block") - 1), "_by_lua_block",
                       sizeof("_by_lua_block") - 1)
           == 0)
    {
        block->pos = block->last;
    }
}


static u_char *
ngx_http_flowdash_conf_block_token_end(u_char *p, u_char *last)
{
    u_char  quote;

    quote = (*p == '"' || *p == '\'') ? *p++ : 0;

    while (p < last) {

        if (*p == '\\') {
            p += 2;
            continue;
        }

        if (quote) {
            if (*p++ == quote) {
                break;
            }

            continue;
        }

        if (p[0] == '$' && last - p > 1 && p[1] == '{') {
            p += 2;
            continue;
        }

        if (*p == ' ' || *p == '\t' || *p == CR || *p == LF
            || *p == ';' || *p == '{')
        {
            break;
        }

        p++;
    }

    return ngx_min(p, last);
}


ngx_int_t
ngx_http_flowdash_conf_block_value(ngx_http_flowdash_conf_block_t *block,
    ngx_str_t *value)
{
    u_char  ch;

    for ( /* void */ ; block->pos < block->last; block->pos++) {

        ch = *block->pos;

        if (ch == LF) {
            block->line++;

        } else if (ch != ' ' && ch != '\t' && ch != CR) {
            break;
        }
    }

    if (block->pos == block->last || ngx_strchr(";{}#", *block->pos)) {
        return NGX_DONE;
    }

    ngx_http_flowdash_conf_block_token(block, value);

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_conf_block_line(ngx_http_flowdash_conf_block_t *block,
    const char *name)
{
    ngx_str_t   text;
    ngx_uint_t  line;

    while (ngx_http_flowdash_conf_block_next(block, &text, &line) == NGX_OK) {
        if (ngx_http_flowdash_text_is(&text, name)) {
            return line;
        }
    }

    return block->end_line;
}
