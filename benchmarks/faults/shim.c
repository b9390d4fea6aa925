/* A disk that fails on purpose. Preloaded (LD_PRELOAD), it counts the calls that write below one folder and lets the
   n-th of them fail, or all from the n-th on, with a given errno. What it does stands in a file that is mapped by all
   processes of a trial, forked or started anew: SHIM_STATE names it, `benchmarks.faults.shim` writes it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct state {
    int armed;        /* 0: nothing is counted */
    int error;        /* errno of what fails */
    int forever;      /* all from the n-th on, or the n-th alone */
    int paths;        /* only calls that take a path fail: permissions are looked at there */
    int removals;     /* once it fails, nothing can be removed either: a disk that cannot be written to, or has gone */
    int reads;        /* once it fails, nothing can be opened for reading either: it has gone */
    long nth;         /* the first call that fails, from 1 */
    long count;       /* calls so far */
    long failed;      /* of these, how many failed */
    long named;       /* of these, how many take a path */
    char folder[1024];
    char what[64];    /* the call that failed first */
    char where[1024]; /* its path */
};
static struct state *state;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("SHIM_STATE");
    if (!name) return;
    int fd = syscall(SYS_openat, AT_FDCWD, name, O_RDWR);
    if (fd < 0) return;
    void *found = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (found != MAP_FAILED) state = found;
}

static int below(const char *path) {
    size_t length = strlen(state->folder);
    return !strncmp(path, state->folder, length) && (path[length] == '/' || !path[length]);
}

static int of_fd(int fd, char *path, size_t size) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int of_path(int at, const char *path, char *whole, size_t size) {
    if (!path) return 0;
    if (path[0] == '/') {
        snprintf(whole, size, "%s", path);
        return below(whole);
    }
    char folder[900];
    if (at == AT_FDCWD) {
        if (syscall(SYS_getcwd, folder, sizeof folder) < 0) return 0;
    } else {
        char name[64];
        snprintf(name, sizeof name, "/proc/self/fd/%d", at);
        ssize_t length = readlink(name, folder, sizeof folder - 1);
        if (length < 0) return 0;
        folder[length] = 0;
    }
    snprintf(whole, size, "%s/%s", folder, path);
    return below(whole);
}

/* Whether this call fails; errno is set then. */
static int fails(const char *what, const char *path, int takes_path) {
    long number = __sync_add_and_fetch(&state->count, 1);
    long named = __sync_add_and_fetch(&state->named, takes_path);
    if (state->paths && !takes_path) return 0;
    if (state->paths) number = named;
    if (number < state->nth || (number > state->nth && !state->forever)) return 0;
    if (__sync_add_and_fetch(&state->failed, 1) == 1) {
        snprintf(state->what, sizeof state->what, "%s", what);
        snprintf(state->where, sizeof state->where, "%s", path);
    }
    errno = state->error;
    return 1;
}

static int broken(int also) { /* the fault has come, and lasts */
    return also && state->forever && state->failed > 0 ? (errno = state->error, 1) : 0;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define ON (state && state->armed)
#define BY_FD(fd, name, bad) do { int kept = errno; char p[1024]; \
    if (ON && of_fd(fd, p, sizeof p) && fails(name, p, 0)) return bad; errno = kept; } while (0)
#define BY_PATH(at, path, name, bad) do { int kept = errno; char p[2048]; \
    if (ON && of_path(at, path, p, sizeof p) && fails(name, p, 1)) return bad; errno = kept; } while (0)
#define REMOVES(at, path) do { int kept = errno; char p[2048]; \
    if (ON && of_path(at, path, p, sizeof p) && broken(state->removals)) return -1; errno = kept; } while (0)

static int refused(int at, const char *path, int flags, const char *name) {
    int kept = errno;
    char p[2048];
    if (ON && of_path(at, path, p, sizeof p)) {
        int writes = flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
        if (writes ? fails(name, p, 1) : broken(state->reads)) return 1;
    }
    errno = kept;
    return 0;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *path, int flags, ...) { MODE REAL(open); if (refused(AT_FDCWD, path, flags, "open")) return -1; return real(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE REAL(open64); if (refused(AT_FDCWD, path, flags, "open")) return -1; return real(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE REAL(openat); if (refused(at, path, flags, "open")) return -1; return real(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE REAL(openat64); if (refused(at, path, flags, "open")) return -1; return real(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { REAL(creat); if (refused(AT_FDCWD, path, O_CREAT, "creat")) return -1; return real(path, mode); }
static int of_mode(const char *mode) { return mode[0] == 'r' && !strchr(mode, '+') ? O_RDONLY : O_CREAT; }
FILE *fopen(const char *path, const char *mode) { REAL(fopen); if (refused(AT_FDCWD, path, of_mode(mode), "fopen")) return NULL; return real(path, mode); }
FILE *fopen64(const char *path, const char *mode) { REAL(fopen64); if (refused(AT_FDCWD, path, of_mode(mode), "fopen")) return NULL; return real(path, mode); }

ssize_t write(int fd, const void *data, size_t size) { REAL(write); BY_FD(fd, "write", -1); return real(fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { REAL(pwrite); BY_FD(fd, "pwrite", -1); return real(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { REAL(pwrite64); BY_FD(fd, "pwrite", -1); return real(fd, data, size, at); }
ssize_t writev(int fd, const struct iovec *data, int count) { REAL(writev); BY_FD(fd, "writev", -1); return real(fd, data, count); }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags) { REAL(copy_file_range); BY_FD(to, "copy_file_range", -1); return real(from, a, to, b, size, flags); }
ssize_t sendfile(int to, int from, off_t *a, size_t size) { REAL(sendfile); BY_FD(to, "sendfile", -1); return real(to, from, a, size); }
ssize_t sendfile64(int to, int from, off64_t *a, size_t size) { REAL(sendfile64); BY_FD(to, "sendfile", -1); return real(to, from, a, size); }
size_t fwrite(const void *data, size_t size, size_t count, FILE *file) { REAL(fwrite); BY_FD(fileno(file), "fwrite", 0); return real(data, size, count, file); }
int fsync(int fd) { REAL(fsync); BY_FD(fd, "fsync", -1); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); BY_FD(fd, "fdatasync", -1); return real(fd); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); BY_FD(fd, "ftruncate", -1); return real(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); BY_FD(fd, "ftruncate", -1); return real(fd, size); }
int fallocate(int fd, int mode, off_t at, off_t size) { REAL(fallocate); BY_FD(fd, "fallocate", -1); return real(fd, mode, at, size); }
int posix_fallocate(int fd, off_t at, off_t size) { REAL(posix_fallocate); BY_FD(fd, "posix_fallocate", state->error); return real(fd, at, size); }
int posix_fallocate64(int fd, off64_t at, off64_t size) { REAL(posix_fallocate64); BY_FD(fd, "posix_fallocate", state->error); return real(fd, at, size); }

int mkdir(const char *path, mode_t mode) { REAL(mkdir); BY_PATH(AT_FDCWD, path, "mkdir", -1); return real(path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { REAL(mkdirat); BY_PATH(at, path, "mkdir", -1); return real(at, path, mode); }
int rename(const char *a, const char *b) { REAL(rename); BY_PATH(AT_FDCWD, b, "rename", -1); return real(a, b); }
int renameat(int at, const char *a, int to, const char *b) { REAL(renameat); BY_PATH(to, b, "rename", -1); return real(at, a, to, b); }
int renameat2(int at, const char *a, int to, const char *b, unsigned f) { REAL(renameat2); BY_PATH(to, b, "rename", -1); return real(at, a, to, b, f); }
int link(const char *a, const char *b) { REAL(link); BY_PATH(AT_FDCWD, b, "link", -1); return real(a, b); }
int linkat(int at, const char *a, int to, const char *b, int f) { REAL(linkat); BY_PATH(to, b, "link", -1); return real(at, a, to, b, f); }
int symlink(const char *a, const char *b) { REAL(symlink); BY_PATH(AT_FDCWD, b, "symlink", -1); return real(a, b); }
int symlinkat(const char *a, int to, const char *b) { REAL(symlinkat); BY_PATH(to, b, "symlink", -1); return real(a, to, b); }
int unlink(const char *path) { REAL(unlink); REMOVES(AT_FDCWD, path); return real(path); }
int unlinkat(int at, const char *path, int flags) { REAL(unlinkat); REMOVES(at, path); return real(at, path, flags); }
int rmdir(const char *path) { REAL(rmdir); REMOVES(AT_FDCWD, path); return real(path); }
