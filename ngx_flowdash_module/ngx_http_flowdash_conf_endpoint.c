
/*
 * What flowdash_status shows of the endpoint of a step: scheme and host.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_conf_block.h>
#include <ngx_http_flowdash_conf_endpoint.h>


/* nginx itself ends when files include each other */

#define NGX_HTTP_FLOWDASH_CONF_ENDPOINT_DEPTH  16


static ngx_int_t ngx_http_flowdash_conf_endpoint_method(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);
static ngx_int_t ngx_http_flowdash_conf_endpoint_find(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block,
    ngx_uint_t depth);
static ngx_int_t ngx_http_flowdash_conf_endpoint_include(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_str_t *pattern, ngx_uint_t depth);
static ngx_uint_t ngx_http_flowdash_conf_endpoint_is_pass(ngx_str_t *name);
static ngx_str_t ngx_http_flowdash_conf_endpoint_origin(ngx_str_t *url);


char *
ngx_http_flowdash_conf_endpoint(ngx_conf_t *cf, ngx_http_flowdash_step_t *step,
    ngx_http_flowdash_conf_block_t *block)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_loc_conf_t  *flcf;

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->url) {
        step->endpoint = flcf->url->redacted_origin;
        return NGX_CONF_OK;
    }

    rc = ngx_http_flowdash_conf_block_read(cf, block);

    if (rc == NGX_OK) {
        rc = ngx_http_flowdash_conf_endpoint_find(cf, step, block, 0);
    }

    if (rc != NGX_ERROR) {
        rc = ngx_http_flowdash_conf_endpoint_method(cf, step, block);
    }

    return (rc == NGX_ERROR) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


/* "proxy_method" in the block itself, as it is written there */

static ngx_int_t
ngx_http_flowdash_conf_endpoint_method(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block)
{
    ngx_int_t   rc;
    ngx_str_t   name, value;
    ngx_uint_t  line;

    rc = ngx_http_flowdash_conf_block_read(cf, block);

    if (rc != NGX_OK) {
        return rc;
    }

    while (ngx_http_flowdash_conf_block_next(block, &name, &line) == NGX_OK) {

        if (!ngx_http_flowdash_text_is(&name, "proxy_method")
            || ngx_http_flowdash_conf_block_value(block, &value) != NGX_OK)
        {
            continue;
        }

        step->method.len = value.len;

        step->method.data = ngx_pstrdup(cf->pool, &value);
        if (step->method.data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* NGX_DECLINED if the block has none, NGX_ERROR without memory */

static ngx_int_t
ngx_http_flowdash_conf_endpoint_find(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block,
    ngx_uint_t depth)
{
    ngx_int_t   rc;
    ngx_str_t   name, value;
    ngx_uint_t  line, include;

    while (ngx_http_flowdash_conf_block_next(block, &name, &line) == NGX_OK) {

        include = ngx_http_flowdash_text_is(&name, "include");

        if ((!include && !ngx_http_flowdash_conf_endpoint_is_pass(&name))
            || ngx_http_flowdash_conf_block_value(block, &value) != NGX_OK)
        {
            continue;
        }

        if (include) {
            rc = ngx_http_flowdash_conf_endpoint_include(cf, step, &value,
                                                         depth + 1);
            if (rc == NGX_DECLINED) {
                continue;
            }

            return rc;
        }

        value = ngx_http_flowdash_conf_endpoint_origin(&value);

        /* the text of the block is temporary */

        step->endpoint.data = ngx_pstrdup(cf->pool, &value);
        if (step->endpoint.data == NULL) {
            return NGX_ERROR;
        }

        step->endpoint.len = value.len;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* the files that nginx has included, in its order */

static ngx_int_t
ngx_http_flowdash_conf_endpoint_include(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_str_t *pattern, ngx_uint_t depth)
{
    ngx_int_t                       rc;
    ngx_str_t                       file;
    ngx_glob_t                      gl;
    ngx_http_flowdash_conf_block_t  block;

    if (depth > NGX_HTTP_FLOWDASH_CONF_ENDPOINT_DEPTH) {
        return NGX_DECLINED;
    }

    file.len = pattern->len;
    file.data = ngx_pnalloc(cf->temp_pool, pattern->len + 1);
    if (file.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(file.data, pattern->data, pattern->len + 1);

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&gl, sizeof(ngx_glob_t));

    gl.pattern = file.data;
    gl.log = cf->log;
    gl.test = 1;

    if (ngx_open_glob(&gl) != NGX_OK) {
        return NGX_DECLINED;
    }

    do {
        rc = ngx_read_glob(&gl, &file);

        if (rc != NGX_OK) {
            rc = NGX_DECLINED;
            break;
        }

        rc = ngx_http_flowdash_conf_block_read_file(cf, &file, &block);

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_conf_endpoint_find(cf, step, &block, depth);
        }

    } while (rc == NGX_DECLINED);

    ngx_close_glob(&gl);

    return rc;
}


/* proxy_pass and its like */

static ngx_uint_t
ngx_http_flowdash_conf_endpoint_is_pass(ngx_str_t *name)
{
    return name->len > sizeof("_pass") - 1
           && ngx_strncmp(name->data + name->len - (sizeof("_pass") - 1),
                          "_pass", sizeof("_pass") - 1)
              == 0;
}


/*
 * Cuts a URL behind its host, or before the first variable, and removes a user
 * and password.  It is empty if no host is left.
 */

static ngx_str_t
ngx_http_flowdash_conf_endpoint_origin(ngx_str_t *url)
{
    u_char     *p, *host, *last;
    ngx_str_t   origin;

    origin = *url;
    last = url->data + url->len;
    host = url->data;

    p = ngx_strlchr(host, last, ':');

    if (p && last - p > 2 && p[1] == '/' && p[2] == '/') {
        host = p + 3;
    }

    if (last - host > 5 && ngx_strncmp(host, "unix:", 5) == 0) {
        p = ngx_strlchr(host + 5, last, ':');

    } else {
        for (p = host; p < last && !ngx_strchr("/?#$", *p); p++) {
            if (*p == '@') {
                host = p + 1;
                origin.data = host;
            }
        }
    }

    if (p == NULL) {
        p = last;
    }

    origin.len = (p > host) ? p - origin.data : 0;

    return origin;
}
