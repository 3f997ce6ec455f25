
/*
 * flowdash_undo and flowdash_after: the directives, and whether an action is
 * one that needs a record of each execution.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_step_check.h>
#include <ngx_http_flowdash_conf_step_block.h>
#include <ngx_http_flowdash_conf_whole.h>


static ngx_http_flowdash_place_t *ngx_http_flowdash_conf_whole_place(
    ngx_http_flowdash_loc_conf_t *conf);
static ngx_int_t ngx_http_flowdash_conf_whole_location(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_whole_twins(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static char *ngx_http_flowdash_conf_whole_differ(ngx_conf_t *cf,
    ngx_array_t *steps, ngx_array_t *others, ngx_uint_t undo);
static char *ngx_http_flowdash_conf_whole_compare(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_step_t *other);


char *
ngx_http_flowdash_conf_undo(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_http_flowdash_step_t  *step;

    if (ngx_http_flowdash_conf_step_only(cf, cmd, flcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    step = flcf->step;

    if (step->kind != NGX_HTTP_FLOWDASH_KIND_STEP) {
        return ngx_http_flowdash_conf_step_misplaced(cf, cmd, step, NULL,
                   (step->kind == NGX_HTTP_FLOWDASH_KIND_UNDO)
                   ? "it cannot be undone itself: delete the block"
                   : "the action has happened before it is called, and is "
                     "not undone: delete the block");
    }

    if (step->undo) {
        return "is duplicate";
    }

    step->undo = ngx_http_flowdash_conf_step_new(cf,
                                                 NGX_HTTP_FLOWDASH_KIND_UNDO,
                                                 &step->name);
    if (step->undo == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_step_block(cf, step->undo);
}


char *
ngx_http_flowdash_conf_after(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                 *value;
    ngx_http_flowdash_step_t  *step;

    value = cf->args->elts;

    if (flcf->step) {
        return ngx_http_flowdash_conf_step_misplaced(cf, cmd, flcf->step,
                                 &value[1],
                                 "it is for the whole action, not for a step");
    }

    if (ngx_http_flowdash_conf_step_name(cf, cmd, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (flcf->afters == NGX_CONF_UNSET_PTR) {
        flcf->places.after = ngx_http_flowdash_conf_place(cf);
        if (flcf->places.after == NULL) {
            return NGX_CONF_ERROR;
        }

        flcf->own_afters = 1;
    }

    step = ngx_http_flowdash_conf_step_add(cf, &flcf->afters,
                                           NGX_HTTP_FLOWDASH_KIND_AFTER,
                                           &value[1]);
    if (step == NULL) {
        return NGX_CONF_ERROR;
    }

    if (step == NGX_CONF_UNSET_PTR) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                               "the action already has a \"flowdash_after\" "
                               "of this name");
    }

    return ngx_http_flowdash_conf_step_block(cf, step);
}


char *
ngx_http_flowdash_conf_whole_headers(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_param_t  *header;

    if (conf->headers == NULL
        || (conf->step->kind == NGX_HTTP_FLOWDASH_KIND_STEP
            && conf->step->undo == NULL))
    {
        return NGX_CONF_OK;
    }

    header = conf->headers->elts;

    for (i = 0; i < conf->headers->nelts; i++) {

        if (ngx_http_flowdash_text_is(&header[i].name, "Idempotency-Key")) {
            return ngx_http_flowdash_conf_report_refuse(cf, conf,
                        header[i].place,
                        "\"flowdash_set_header\" must not set "
                        "\"Idempotency-Key\" here: an undo names its step by "
                        "the module's key, and undos and after-steps need "
                        "one of their own; delete the directive");
        }

        if (conf->step->kind == NGX_HTTP_FLOWDASH_KIND_UNDO
            && ngx_http_flowdash_text_is(&header[i].name, "Flowdash-Undo"))
        {
            return ngx_http_flowdash_conf_report_refuse(cf, conf,
                        header[i].place,
                        "\"flowdash_set_header\" must not set "
                        "\"Flowdash-Undo\", by which an undo names its step; "
                        "delete the directive");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_flowdash_conf_whole_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_http_core_srv_conf_t        *cscf;
    ngx_http_flowdash_place_t       *place;
    ngx_http_flowdash_loc_conf_t   **action;
    ngx_http_flowdash_main_conf_t   *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    action = ngx_array_push(&fmcf->actions);
    if (action == NULL) {
        return NGX_CONF_ERROR;
    }

    *action = conf;

    place = ngx_http_flowdash_conf_whole_place(conf);

    if (place == NULL) {
        return NGX_CONF_OK;
    }

    conf->whole = 1;

    if (!fmcf->whole) {
        fmcf->whole = 1;
        fmcf->whole_place = place;
    }

    /* nginx's core module comes before this one: its names are merged */

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    conf->server = cscf->server_name;

    if (ngx_http_flowdash_conf_whole_location(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_whole_twins(cf, conf);
}


/*
 * A record names its action by server and location.  If another one has the
 * same names, as a server on another port may, its calls must be the same.
 */

static char *
ngx_http_flowdash_conf_whole_twins(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                       i;
    ngx_http_flowdash_loc_conf_t   **action;
    ngx_http_flowdash_main_conf_t   *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);
    action = fmcf->actions.elts;

    for (i = 0; i < fmcf->actions.nelts; i++) {

        if (action[i] == conf || !action[i]->whole
            || !ngx_http_flowdash_text_equal(&action[i]->server, &conf->server)
            || !ngx_http_flowdash_text_equal(&action[i]->location,
                                             &conf->location))
        {
            continue;
        }

        if (ngx_http_flowdash_conf_whole_differ(cf, conf->steps,
                                                action[i]->steps, 1)
            != NGX_CONF_OK
            || ngx_http_flowdash_conf_whole_differ(cf, conf->afters,
                                                   action[i]->afters, 0)
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_whole_differ(ngx_conf_t *cf, ngx_array_t *steps,
    ngx_array_t *others, ngx_uint_t undo)
{
    ngx_uint_t                  i, j;
    ngx_http_flowdash_step_t  **step, **other;

    /* the same, if both have inherited them */

    if (steps == NULL || others == NULL || steps == others) {
        return NGX_CONF_OK;
    }

    step = steps->elts;
    other = others->elts;

    for (i = 0; i < steps->nelts; i++) {

        for (j = 0; j < others->nelts; j++) {

            if (ngx_http_flowdash_text_equal(&step[i]->name, &other[j]->name)
                && ngx_http_flowdash_conf_whole_compare(cf,
                                      undo ? step[i]->undo : step[i],
                                      undo ? other[j]->undo : other[j])
                   != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_whole_compare(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_step_t *other)
{
    ngx_http_flowdash_loc_conf_t  *flcf, *twin;

    if (step == NULL || other == NULL) {
        return NGX_CONF_OK;
    }

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];
    twin = other->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (ngx_http_flowdash_text_equal(&flcf->url->origin, &twin->url->origin)
        && ngx_http_flowdash_text_equal(&flcf->url->shown, &twin->url->shown))
    {
        return NGX_CONF_OK;
    }

    return ngx_http_flowdash_conf_report_refuse(cf, flcf, flcf->url->place,
               "\"flowdash_call\" \"%V\" is another URL than \"%V\" in "
               "%V:%ui, where a server with the same first name has the same "
               "location: the outbox could not tell them apart; another first "
               "name in \"server_name\" is expected",
               &flcf->url->shown, &twin->url->shown,
               &twin->url->place->file, twin->url->place->line);
}


/* returns where the first undo or after-step of an action is, or NULL */

static ngx_http_flowdash_place_t *
ngx_http_flowdash_conf_whole_place(ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                     i;
    ngx_http_flowdash_step_t     **step, *first;
    ngx_http_flowdash_loc_conf_t  *flcf;

    first = NULL;
    step = conf->steps->elts;

    for (i = 0; i < conf->steps->nelts && first == NULL; i++) {
        first = step[i]->undo;
    }

    if (first == NULL && conf->afters) {
        step = conf->afters->elts;
        first = step[0];
    }

    if (first == NULL) {
        return NULL;
    }

    flcf = first->loc_conf[ngx_http_flowdash_module.ctx_index];

    return flcf->places.step;
}


/* the name of the location that is being merged, as nginx.conf has it */

static ngx_int_t
ngx_http_flowdash_conf_whole_location(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    u_char                    *p;
    const char                *modifier;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->loc_conf = clcf->loc_conf;

    modifier = clcf->exact_match ? "= " : clcf->noregex ? "^~ " : "";

#if (NGX_PCRE)
    if (clcf->regex) {
        modifier = "~ ";
    }
#endif

    p = ngx_pnalloc(cf->pool, ngx_strlen(modifier) + clcf->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    conf->location.data = p;

    p = ngx_cpymem(p, modifier, ngx_strlen(modifier));
    p = ngx_cpymem(p, clcf->name.data, clcf->name.len);

    conf->location.len = p - conf->location.data;

    return NGX_OK;
}
