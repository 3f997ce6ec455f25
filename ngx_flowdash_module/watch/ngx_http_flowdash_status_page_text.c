
/*
 * The words and figures of the flow page.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_reason.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_page_text.h>


#define NGX_HTTP_FLOWDASH_STATUS_PAGE_DASH  "\xe2\x80\x93"
#define NGX_HTTP_FLOWDASH_STATUS_PAGE_DOTS  "\xe2\x80\xa6"


static ngx_uint_t ngx_http_flowdash_status_page_width(uint32_t ch);


void
ngx_http_flowdash_status_page_name(ngx_http_flowdash_output_t *out,
    ngx_str_t *name)
{
    if (name->len == 0) {
        return;
    }

    ngx_http_flowdash_output(out, "<bdi>");
    ngx_http_flowdash_output_html(out, name);
    ngx_http_flowdash_output(out, "</bdi>");
}


void
ngx_http_flowdash_status_page_clip(ngx_http_flowdash_output_t *out,
    ngx_str_t *name, ngx_uint_t width)
{
    u_char      *p, *next, *last;
    uint32_t     ch;
    ngx_str_t    cut;
    ngx_uint_t   used;

    used = 0;
    cut = *name;
    p = name->data;
    last = p + name->len;

    while (p < last) {

        next = p + 1;
        ch = *p;

        if (ch >= 0x80) {
            ch = ngx_utf8_decode(&p, last - p);
        }

        if (ch < 0x80 || ch > 0x10ffff) {

            /* not even a URL is sure to be UTF-8 */

            p = next;
        }

        used += ngx_http_flowdash_status_page_width(ch);

        if (used > width) {
            ngx_http_flowdash_output_html(out, &cut);
            ngx_http_flowdash_output(out, NGX_HTTP_FLOWDASH_STATUS_PAGE_DOTS);
            return;
        }

        /* with room for the dots */

        if (used + 100 <= width) {
            cut.len = p - name->data;
        }
    }

    ngx_http_flowdash_output_html(out, name);
}


/*
 * Fonts differ: in hundredths of the font's size, about what the bold letters
 * of a wide one (DejaVu Sans) take.
 */

static ngx_uint_t
ngx_http_flowdash_status_page_width(uint32_t ch)
{
    if (ch < 0x80) {
        return ngx_strchr("iljI.,:;!|' ", ch) ? 38
               : ngx_strchr("tfr()[]-/", ch) ? 49
               : ngx_strchr("csz", ch) ? 60
               : (ch == 'm' || ch == 'w') ? 104
               : ngx_strchr("MW@%", ch) ? 111
               : (ch >= 'A' && ch <= 'Z') ? 78 : 71;
    }

    /* accents take no room; from Hangul on, most characters are wide */

    return (ch >= 0x300 && ch < 0x370) ? 0
           : (ch >= 0x1100 && ch < 0x1200) || ch >= 0x2e80 ? 105 : 75;
}


void
ngx_http_flowdash_status_page_date(ngx_http_flowdash_output_t *out,
    time_t time)
{
    ngx_tm_t  tm;

    ngx_gmtime(time, &tm);

    ngx_http_flowdash_output(out, "<time datetime=\"%4d-%02d-%02dT%02d:%02d:"
                             "%02dZ\">%4d-%02d-%02d %02d:%02d:%02d</time>",
                             tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                             tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                             tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                             tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);
}


void
ngx_http_flowdash_status_page_rate(ngx_http_flowdash_output_t *out,
    ngx_uint_t ended, time_t seconds)
{
    ngx_uint_t  rate;

    /* in tenths, which matter if it is low */

    rate = (ended * 600 + seconds / 2) / seconds;

    if (rate < 100 && rate % 10) {
        ngx_http_flowdash_output(out, "%ui.%ui", rate / 10, rate % 10);

    } else {
        ngx_http_flowdash_output(out, "%ui", (rate + 5) / 10);
    }
}


void
ngx_http_flowdash_status_page_share(ngx_http_flowdash_output_t *out,
    ngx_uint_t succeeded, ngx_uint_t ended)
{
    ngx_uint_t  share;

    if (ended == 0) {
        ngx_http_flowdash_output(out, NGX_HTTP_FLOWDASH_STATUS_PAGE_DASH);
        return;
    }

    /* rounded down: never 100 % if one failed */

    share = succeeded * 1000 / ended;

    if (share % 1000) {
        ngx_http_flowdash_output(out, "%ui.%ui\xc2\xa0%%", share / 10,
                                 share % 10);

    } else {
        ngx_http_flowdash_output(out, "%ui\xc2\xa0%%", share / 10);
    }
}


void
ngx_http_flowdash_status_page_time(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_histogram_t *time, ngx_uint_t quantile)
{
    ngx_msec_t  ms;

    ms = ngx_http_flowdash_metrics_quantile(time, quantile);

    if (ngx_http_flowdash_metrics_count(time) == 0) {
        ngx_http_flowdash_output(out, NGX_HTTP_FLOWDASH_STATUS_PAGE_DASH);

    } else if (ms < 1000) {
        ngx_http_flowdash_output(out, "%M\xc2\xa0ms", ms);

    } else {
        ngx_http_flowdash_output(out, "%M.%M\xc2\xa0s", ms / 1000,
                                 ms % 1000 / 100);
    }
}


void
ngx_http_flowdash_status_page_reason(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    ngx_uint_t  reason, status;

    reason = counters->last_failure >> 16;
    status = counters->last_failure & 0xffff;

    if (reason == NGX_HTTP_FLOWDASH_STATUS) {
        ngx_http_flowdash_output(out, "answered %ui", status);

    } else if (reason == NGX_HTTP_FLOWDASH_OK) {
        ngx_http_flowdash_output(out, "aborted");

    } else if (reason < NGX_HTTP_FLOWDASH_ERRORS) {
        ngx_http_flowdash_output(out, "%V",
                                 ngx_http_flowdash_reason_name(reason));
    }
}


void
ngx_http_flowdash_status_page_answer(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    if (counters->last_status) {
        ngx_http_flowdash_output(out, "answered %uA", counters->last_status);

    } else {
        ngx_http_flowdash_output(out, "no answer");
    }
}


void
ngx_http_flowdash_status_page_refusal(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_counters_t *counters)
{
    if (counters->last_status) {
        ngx_http_flowdash_output(out, "refused: %uA", counters->last_status);

    } else {
        ngx_http_flowdash_output(out, "refused");
    }
}


void
ngx_http_flowdash_status_page_times(ngx_http_flowdash_output_t *out,
    ngx_uint_t n)
{
    if (n == 1) {
        ngx_http_flowdash_output(out, "once in the last 2 min");

    } else {
        ngx_http_flowdash_output(out, "%ui times in the last 2 min", n);
    }
}
