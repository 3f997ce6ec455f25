
/*
 * Loaded into nginx before t/tool/machine.c, this kills a process at a point
 * of its work.  Points are the calls that change the outbox, that ask an
 * endpoint or the app, that read what these answer, and that answer a client.
 * Below FLOWDASH_MACHINE are
 *
 *   points/HOW NAME   a point that was reached
 *   kill              lines of "HOW NAME": who comes to one of these points
 *                     first is killed, and the file is gone
 *   hit               the point at which that was
 *   off               the same, if the line was "off HOW NAME": the machine
 *                     has no power from then on, and nobody passes any point
 *
 * HOW is before, half or after.
 */


#define _GNU_SOURCE

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>


#define NAME   64
#define FILES  4096
#define SEEN   256
#define TEXT   8192

#define NEXT(type, name)  ((type) dlsym(RTLD_NEXT, name))


typedef int (*open_t)(const char *path, int flags, ...);
typedef int (*fallocate_t)(int fd, off_t offset, off_t len);
typedef int (*truncate_t)(int fd, off_t len);
typedef ssize_t (*pwrite_t)(int fd, const void *buf, size_t n, off_t offset);
typedef int (*path_t)(const char *path);
typedef int (*rename_t)(const char *from, const char *to);
typedef int (*sync_t)(int fd);
typedef ssize_t (*send_t)(int fd, const void *buf, size_t n, int flags);
typedef ssize_t (*recv_t)(int fd, void *buf, size_t n, int flags);
typedef ssize_t (*writev_t)(int fd, const struct iovec *iov, int n);


static void point(const char *how, const char *name);
static int is_hit(const char *how, const char *name);
static int is_listed(const char *text, const char *what, int *power);
static void see(const char *what);
static void name_line(char *name, int fd, const char *buf, size_t n);
static int name_message(char *name, int fd, const char *buf, size_t n);
static void name_rename(char *name, const char *from, const char *to);
static const char *below(const char *path);
static int is_record(int fd);


static char  *outbox, *faults;

/* of each descriptor: the last line of a record, or whom a socket has asked */

static char   lines[FILES][NAME], asked[FILES][NAME];


static void __attribute__((constructor))
find_directories(void)
{
    outbox = getenv("FLOWDASH_OUTBOX");
    outbox = outbox ? strdup(outbox) : NULL;
    faults = getenv("FLOWDASH_MACHINE");
    faults = faults ? strdup(faults) : NULL;
}


static void
point(const char *how, const char *name)
{
    if (is_hit(how, name)) {
        (void) kill(getpid(), SIGKILL);
    }
}


static int
is_hit(const char *how, const char *name)
{
    int          fd, err, power, hit;
    char         what[NAME * 2], kills[PATH_MAX], to[PATH_MAX], text[TEXT];
    ssize_t      n;
    struct stat  st;

    if (faults == NULL || outbox == NULL) {
        return 0;
    }

    err = errno;

    (void) snprintf(to, sizeof(to), "%s/off", faults);

    while (stat(to, &st) == 0) {
        (void) usleep(1000000);
    }

    (void) snprintf(what, sizeof(what), "%s %s\n", how, name);
    see(what);

    hit = 0;
    (void) snprintf(kills, sizeof(kills), "%s/kill", faults);

    fd = open(kills, O_RDONLY|O_CLOEXEC);

    if (fd != -1) {
        n = read(fd, text, sizeof(text) - 1);
        (void) close(fd);

        text[n > 0 ? n : 0] = '\0';
        hit = is_listed(text, what, &power);
    }

    /* of several processes, one has it */

    (void) snprintf(to, sizeof(to), "%s/kill.%d", faults, (int) getpid());

    if (hit && NEXT(rename_t, "rename")(kills, to) == 0) {

        fd = open(to, O_WRONLY|O_TRUNC|O_CLOEXEC);
        (void) dprintf(fd, "%s", what);
        (void) close(fd);

        (void) snprintf(kills, sizeof(kills), "%s/%s", faults,
                        power ? "off" : "hit");
        (void) NEXT(rename_t, "rename")(to, kills);

    } else {
        hit = 0;
    }

    errno = err;

    return hit;
}


static int
is_listed(const char *text, const char *what, int *power)
{
    const char  *line;

    for (line = text; *line; line = strchr(line, '\n') + 1) {

        *power = (strncmp(line, "off ", 4) == 0);

        if (strncmp(line + (*power ? 4 : 0), what, strlen(what)) == 0) {
            return 1;
        }

        if (strchr(line, '\n') == NULL) {
            break;
        }
    }

    return 0;
}


static void
see(const char *what)
{
    int          i, fd;
    char         path[PATH_MAX];
    static char  seen[SEEN][NAME * 2];

    for (i = 0; i < SEEN && seen[i][0]; i++) {
        if (strcmp(seen[i], what) == 0) {
            return;
        }
    }

    if (i < SEEN) {
        (void) snprintf(seen[i], sizeof(seen[i]), "%s", what);
    }

    (void) snprintf(path, sizeof(path), "%s/points/%.*s", faults,
                    (int) strcspn(what, "\n"), what);

    fd = open(path, O_WRONLY|O_CREAT|O_CLOEXEC, 0600);
    (void) close(fd);
}


/* lines are MAC {"line":"NAME",...: several are known by the last one */

ssize_t
pwrite64(int fd, const void *buf, size_t n, off_t offset)
{
    char     name[NAME];
    ssize_t  rc;

    if (!is_record(fd)) {
        return NEXT(pwrite_t, "pwrite64")(fd, buf, n, offset);
    }

    name_line(name, fd, buf, n);
    point("before", name);

    if (is_hit("half", name)) {
        (void) NEXT(pwrite_t, "pwrite64")(fd, buf, n / 2, offset);
        (void) kill(getpid(), SIGKILL);
    }

    rc = NEXT(pwrite_t, "pwrite64")(fd, buf, n, offset);
    point("after", name);

    return rc;
}


static void
name_line(char *name, int fd, const char *buf, size_t n)
{
    int          i;
    char         word[NAME];
    const char  *p, *last;

    static const char  key[] = "{\"line\":\"";

    word[0] = '\0';
    last = buf + n;

    for (p = buf; p < last; p++) {
        p = memmem(p, last - p, key, sizeof(key) - 1);
        if (p == NULL) {
            break;
        }

        p += sizeof(key) - 1;

        for (i = 0; i < NAME / 2 && p < last && isalpha((u_char) *p); p++) {
            word[i++] = *p;
        }

        word[i] = '\0';

        /* the next line begins at the next end of a line */

        p = memchr(p, '\n', last - p);
        if (p == NULL) {
            break;
        }
    }

    if (fd >= 0 && fd < FILES) {
        (void) snprintf(lines[fd], NAME, "%s", word);
    }

    (void) snprintf(name, NAME, "write the %.40s", word[0] ? word : "rest");
}


/* a record, or a directory of records; not a lock, or what a scan has found */

static int
is_record(int fd)
{
    char         link[64], path[PATH_MAX];
    ssize_t      n;
    const char  *p;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = outbox ? readlink(link, path, sizeof(path) - 1) : -1;

    if (n == -1) {
        return 0;
    }

    path[n] = '\0';
    p = below(path);

    return p && strstr(p, "lock") == NULL;
}


static int
sync_file(int fd, const char *call)
{
    int          rc, known;
    char         name[NAME];
    struct stat  st;

    known = is_record(fd) && fstat(fd, &st) == 0;

    if (known) {
        (void) snprintf(name, NAME, "sync the %s",
                        S_ISDIR(st.st_mode) ? "directory"
                        : fd < FILES ? lines[fd] : "record");
        point("before", name);
    }

    rc = NEXT(sync_t, call)(fd);

    if (known) {
        point("after", name);
    }

    return rc;
}


int
fsync(int fd)
{
    return sync_file(fd, "fsync");
}


int
fdatasync(int fd)
{
    return sync_file(fd, "fdatasync");
}


int
open64(const char *path, int flags, ...)
{
    int      mode, fd, new;
    va_list  args;

    va_start(args, flags);
    mode = va_arg(args, int);
    va_end(args);

    new = (flags & O_EXCL) && below(path) && strstr(path, "/now/");

    if (new) {
        point("before", "create a record");
    }

    fd = NEXT(open_t, "open64")(path, flags, mode);

    if (fd >= 0 && fd < FILES) {
        lines[fd][0] = '\0';
    }

    if (new) {
        point("after", "create a record");
    }

    return fd;
}


int
posix_fallocate64(int fd, off_t offset, off_t len)
{
    int  rc, known;

    known = is_record(fd);

    if (known) {
        point("before", "reserve space");
    }

    rc = NEXT(fallocate_t, "posix_fallocate64")(fd, offset, len);

    if (known) {
        point("after", "reserve space");
    }

    return rc;
}


int
ftruncate64(int fd, off_t len)
{
    int  rc, known;

    known = is_record(fd);

    if (known) {
        point("before", "give space back");
    }

    rc = NEXT(truncate_t, "ftruncate64")(fd, len);

    if (known) {
        point("after", "give space back");
    }

    return rc;
}


static int
remove_path(const char *path, const char *call, const char *what)
{
    int          rc;
    char         name[NAME];
    const char  *p;

    p = below(path);

    if (p) {
        (void) snprintf(name, NAME, "remove a %s",
                        strstr(p, "lock") ? "lock" : what);
        point("before", name);
    }

    rc = NEXT(path_t, call)(path);

    if (p) {
        point("after", name);
    }

    return rc;
}


int
unlink(const char *path)
{
    return remove_path(path, "unlink", "record");
}


int
rmdir(const char *path)
{
    return remove_path(path, "rmdir", "directory");
}


int
rename(const char *from, const char *to)
{
    int   rc, known;
    char  name[NAME];

    known = below(from) && below(to);

    if (known) {
        name_rename(name, from, to);
        point("before", name);
    }

    rc = NEXT(rename_t, "rename")(from, to);

    if (known) {
        point("after", name);
    }

    return rc;
}


static void
name_rename(char *name, const char *from, const char *to)
{
    size_t       len;
    const char  *dir, *last;
    struct stat  st;

    if (stat(from, &st) == 0 && S_ISDIR(st.st_mode)) {

        last = strrchr(from, '/') + 1;

        (void) snprintf(name, NAME, "%s",
                        strstr(from, "/new-") ? "name the directory"
                        : strstr(to, "/waiting/") ? "give a group away"
                        : strstr(from, "/waiting/") ? "take a group"
                        : strcmp(last, "now") == 0 ? "take over what ran"
                        : strcmp(last, "sending") == 0
                        ? "take over what was sent" : "take over a group");
        return;
    }

    /* a record: the directory into which it goes */

    last = strrchr(to, '/');

    for (dir = last; dir > to && dir[-1] != '/'; dir--) { /* void */ }

    for (len = 0; dir + len < last && isalpha((u_char) dir[len]); len++) {
        /* void */
    }

    (void) snprintf(name, NAME, "move a record to %.*s",
                    len ? (int) len : 5, len ? dir : "later");
}


ssize_t
send(int fd, const void *buf, size_t n, int flags)
{
    int      known;
    char     name[NAME];
    ssize_t  rc;

    known = name_message(name, fd, buf, n);

    if (known) {
        point("before", name);
    }

    rc = NEXT(send_t, "send")(fd, buf, n, flags);

    if (known) {
        point("after", name);
    }

    return rc;
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    int      known;
    char     name[NAME];
    ssize_t  rc;

    known = n && name_message(name, fd, iov[0].iov_base, iov[0].iov_len);

    if (known) {
        point("before", name);
    }

    rc = NEXT(writev_t, "writev")(fd, iov, n);

    if (known) {
        point("after", name);
    }

    return rc;
}


static int
name_message(char *name, int fd, const char *buf, size_t n)
{
    const char  *who;

    if (n >= 7 && strncmp(buf, "HTTP/1.", 7) == 0) {
        (void) snprintf(name, NAME, "answer the client");
        return 1;
    }

    if (n < 12 || (strncmp(buf, "POST /", 6) != 0
                   && strncmp(buf, "PUT /", 5) != 0))
    {
        return 0;
    }

    buf = strchr(buf, '/') + 1;

    who = strncmp(buf, "step/", 5) == 0 ? "a step"
          : strncmp(buf, "undo/", 5) == 0 ? "an undo"
          : strncmp(buf, "after/", 6) == 0 ? "an after-step" : "the app";

    if (fd < FILES) {
        (void) snprintf(asked[fd], NAME, "read the answer of %s", who);
    }

    (void) snprintf(name, NAME, "call %s", who);

    return 1;
}


ssize_t
recv(int fd, void *buf, size_t n, int flags)
{
    ssize_t  rc;

    rc = NEXT(recv_t, "recv")(fd, buf, n, flags);

    if (rc >= 7 && fd < FILES && asked[fd][0]
        && strncmp(buf, "HTTP/1.", 7) == 0)
    {
        point("after", asked[fd]);
    }

    return rc;
}


/* what follows the outbox's path, or NULL */

static const char *
below(const char *path)
{
    size_t  len;

    if (outbox == NULL) {
        return NULL;
    }

    len = strlen(outbox);

    return strncmp(path, outbox, len) == 0 && path[len] == '/' ? path + len
                                                                : NULL;
}
