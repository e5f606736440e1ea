/* process.c - see process.h. Numbers of /proc/self/stat as proc(5) counts its fields. */
#include "metrics/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* fields behind the command name, from 0: field 3 of proc(5) is 0 here */
enum { STAT_UTIME = 11, STAT_STIME = 12, STAT_THREADS = 17, STAT_VSIZE = 20, STAT_RSS = 21, STAT_LEN = 22 };

/* a small file as text; 0 when it cannot be read */
static size_t read_file(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd == -1)
		return 0;
	while (len < cap - 1) {
		ssize_t n = read(fd, buf + len, cap - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	buf[len] = '\0';
	return len;
}

static bool read_stat(uint64_t ret[STAT_LEN])
{
	char text[2048];
	size_t len = read_file("/proc/self/stat", text, sizeof(text));
	const char *at = len == 0 ? NULL : strrchr(text, ')');   /* the name in brackets may hold anything */

	if (at == NULL || at[1] != ' ' || at[2] == '\0')
		return false;
	at += 3;                                                 /* the state, a letter, is field 0 */
	ret[0] = 0;
	for (size_t i = 1; i < STAT_LEN; i++) {
		char *end;

		ret[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

static uint64_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (d == NULL)
		return 0;
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1;                /* without the one that reads the folder */
}

static void head(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, type, name);
}

static void number(struct strbuf *out, const char *name, const char *help, uint64_t n)
{
	head(out, name, "gauge", help);
	strbuf_fmt(out, "%" PRIu64 "\n", n);
}

static void print_stat(struct strbuf *out)
{
	uint64_t stat[STAT_LEN], hertz = (uint64_t)sysconf(_SC_CLK_TCK);

	if (!read_stat(stat) || hertz == 0)
		return;
	head(out, "process_cpu_seconds_total", "counter", "User and system CPU time spent.");
	strbuf_fmt(out, "%.2f\n", (double)(stat[STAT_UTIME] + stat[STAT_STIME]) / (double)hertz);
	number(out, "process_threads", "Threads of the process.", stat[STAT_THREADS]);
	number(out, "process_virtual_memory_bytes", "Size of the address space.", stat[STAT_VSIZE]);
	number(out, "process_resident_memory_bytes", "Memory in use.", stat[STAT_RSS] * (uint64_t)sysconf(_SC_PAGESIZE));
}

void process_print(struct strbuf *out, int64_t started_wall_us)
{
	struct rlimit files;
	uint64_t fds = open_descriptors();

	head(out, "process_start_time_seconds", "gauge", "Start of the process since 1970.");
	strbuf_fmt(out, "%.2f\n", (double)started_wall_us / 1e6);
	print_stat(out);
	if (fds > 0)
		number(out, "process_open_fds", "Open file descriptors.", fds);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		number(out, "process_max_fds", "Most file descriptors that may be open.", (uint64_t)files.rlim_cur);
}
