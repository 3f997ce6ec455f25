
/*
 * What "nginx -t" says of a step or an action when nginx has read its block:
 * cf->conf_file is somewhere else by then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>


static void ngx_http_flowdash_conf_report(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *fmt, va_list args);


char *
ngx_http_flowdash_conf_report_refuse(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    ngx_http_flowdash_conf_report(NGX_LOG_EMERG, cf, conf, place, fmt, args);
    va_end(args);

    return NGX_CONF_ERROR;
}


void
ngx_http_flowdash_conf_report_warn(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *fmt, ...)
{
    va_list  args;

    if (place->warned) {
        return;
    }

    place->warned = 1;

    va_start(args, fmt);
    ngx_http_flowdash_conf_report(NGX_LOG_WARN, cf, conf, place, fmt, args);
    va_end(args);
}


/* before values are merged, a step has not inherited its action */

static void
ngx_http_flowdash_conf_report(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *fmt, va_list args)
{
    u_char                    *p, *last;
    ngx_http_complex_value_t  *action;
    u_char                     text[NGX_MAX_CONF_ERRSTR];

    action = conf->action;

    if (action == NGX_CONF_UNSET_PTR) {
        action = conf->step ? conf->step->action : NULL;
    }

    last = text + sizeof(text);
    p = text;

    if (conf->step) {
        p = ngx_http_flowdash_conf_report_name(p, last, conf->step);
        p = ngx_slprintf(p, last, ": ");

    } else if (action) {
        p = ngx_slprintf(p, last, "\"flowdash_action\" \"%V\": ",
                         &action->value);
    }

    p = ngx_vslprintf(p, last, fmt, args);

    if (conf->step && action) {
        p = ngx_slprintf(p, last, " (action \"%V\")", &action->value);
    }

    ngx_log_error(level, cf->log, 0, "%*s in %V:%ui", p - text, text,
                  &place->file, place->line);
}


u_char *
ngx_http_flowdash_conf_report_name(u_char *p, u_char *last,
    ngx_http_flowdash_step_t *step)
{
    static const char  *kinds[] = {
        "\"flowdash_step\"",
        "\"flowdash_undo\" of \"flowdash_step\"",
        "\"flowdash_after\""
    };

    return ngx_slprintf(p, last, "%s \"%V\"", kinds[step->kind], &step->name);
}
