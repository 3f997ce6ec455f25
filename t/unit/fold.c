
/*
 * Case folding: the module's table against what Perl knows of Unicode, and
 * pairs of names that are told.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_fold.c"


#define LAST  0x10ffff


typedef struct {
    const char  *a;
    const char  *b;
} pair_t;


static pair_t  same[] = {
    { "", "" },
    { "Stage", "sTAGE" },
    { "\xc5\xbfS", "ss" },                          /* U+017F */
    { "\xe2\x84\xaa" "elvin", "kElvin" },           /* U+212A */
    { "\xe2\x84\xab", "\xc3\xa5" },                 /* U+212B, U+00E5 */
    { "\xce\xa3", "\xcf\x83" },                     /* capital, small sigma */
    { "\xcf\x82", "\xcf\x83" },                     /* final sigma */
    { "\xc4\xb0", "I" },                            /* U+0130 */
    { "\xc4\xb1", "i" },                            /* U+0131 */
    { "\xe1\xba\x9e", "\xc3\x9f" },                 /* U+1E9E, U+00DF */
    { "\xea\xad\xb0", "\xe1\x8e\xa0" },             /* U+AB70: Cherokee */
    { "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8" },     /* U+10400: Deseret */
    { "\xc8\xba", "\xe2\xb1\xa5" },                 /* U+023A: longer */
    { "\xe1\xbf\x93", "\xce\x90" },                 /* U+1FD3, U+0390 */
    { "\xe1\xbf\xa3", "\xce\xb0" },                 /* U+1FE3, U+03B0 */
    { "\xef\xac\x85", "\xef\xac\x86" },             /* U+FB05, U+FB06 */
    { "a\xff", "A\xff" }
};


static pair_t  different[] = {
    { "", "a" },
    { "a", "ab" },
    { "ab", "a" },
    { "a_b", "a-b" },
    { "ss", "\xc3\x9f" },                           /* full folding only */
    { "i\xcc\x87", "\xc4\xb0" },                    /* the same */
    { "@", "`" },
    { "[", "{" },
    { "\xc3\x97", "\xc3\xb7" },                     /* U+00D7, U+00F7 */
    { "\xff", "\xbf" },
    { "\xc3", "\xe3" },                             /* cut: not UTF-8 */
    { "\xce\xa3\xce", "\xcf\x83" }
};


static ngx_uint_t
compares(pair_t *pair, ngx_uint_t equal)
{
    ngx_str_t   a, b;
    ngx_int_t   rc, reverse;
    ngx_uint_t  good;

    a = exactly(pair->a, strlen(pair->a));
    b = exactly(pair->b, strlen(pair->b));

    rc = ngx_http_flowdash_fold_compare(&a, &b);
    reverse = ngx_http_flowdash_fold_compare(&b, &a);

    good = rc == -reverse && (rc == 0) == equal
           && (ngx_http_flowdash_fold_keyed_hash(&a)
               == ngx_http_flowdash_fold_keyed_hash(&b)) == equal;

    free(a.data);
    free(b.data);

    return good;
}


/* the version of Unicode that a command says, or that the table names */

static ngx_uint_t
read_version(FILE *in, char *version, size_t size)
{
    char  *p, line[256];

    while (fgets(line, sizeof(line), in)) {

        p = strstr(line, "Unicode ");
        p = p ? p + strlen("Unicode ") : line;

        if (*p >= '0' && *p <= '9') {
            snprintf(version, size, "%.*s", (int) strspn(p, "0123456789"), p);
            return 1;
        }
    }

    return 0;
}


/* another Perl may know another version: then nothing can be compared */

static ngx_uint_t
knows_another_version(void)
{
    FILE        *in;
    char         perl[16], table[16];
    ngx_uint_t   read;

    in = popen("perl t/tool/fold.pl version", "r");
    read = in && read_version(in, perl, sizeof(perl));
    read &= in && pclose(in) == 0;

    in = fopen("ngx_flowdash_module/data/ngx_http_flowdash_fold_table.h", "r");
    read &= in && read_version(in, table, sizeof(table));

    if (in) {
        fclose(in);
    }

    return read && strcmp(perl, table) != 0;
}


/* each character of Unicode folds to what Perl says */

static ngx_uint_t
folds_as_perl_says(void)
{
    FILE            *list;
    uint32_t         c, good;
    unsigned         from, to, n;
    static uint32_t  folded[LAST + 1];

    for (c = 0; c <= LAST; c++) {
        folded[c] = c;
    }

    list = popen("perl t/tool/fold.pl list", "r");
    if (list == NULL) {
        return 0;
    }

    for (n = 0; fscanf(list, "%x %x", &from, &to) == 2; n++) {
        folded[from] = to;
    }

    good = (pclose(list) == 0 && n > 1400);

    for (c = 0x80; c <= LAST; c++) {
        good &= (ngx_http_flowdash_fold_char(c) == folded[c]);
    }

    return good;
}


/* none folds to one that folds to another */

static ngx_uint_t
folds_once(void)
{
    uint32_t  c, folded, good;

    good = 1;

    for (c = 0x80; c <= LAST; c++) {
        folded = ngx_http_flowdash_fold_char(c);
        good &= (folded < 0x80 ? folded == (uint32_t) ngx_tolower(folded)
                               : ngx_http_flowdash_fold_char(folded)
                                 == folded);
    }

    return good;
}


int
main(void)
{
    ngx_uint_t  i;

    (void) test_begin(0);

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        ok(compares(&same[i], 1), show("the same", same[i].a));
    }

    for (i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        ok(compares(&different[i], 0), show("different", different[i].a));
    }

    if (knows_another_version()) {
        ok(1, "the table is Perl's # SKIP Perl knows another Unicode");

    } else {
        ok(folds_as_perl_says(), "the table is Perl's");
    }

    ok(folds_once(), "what is folded folds to itself");

    return test_end();
}
