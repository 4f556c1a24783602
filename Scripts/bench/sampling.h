// What the kernel tells of processes, cores and time.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

typedef struct {
    double user, total;  // seconds of CPU
} Cpu;

static inline Cpu process_cpu(int pid) {
    Cpu cpu = {0, 0};
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = pid ? fopen(path, "r") : NULL;
    if (!file) return cpu;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    // The name in parentheses may hold spaces, so counting starts behind it.
    unsigned long user, system;
    const char *fields = strrchr(text, ')');
    if (fields && sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2) {
        double hertz = sysconf(_SC_CLK_TCK);
        cpu = (Cpu){user / hertz, (user + system) / hertz};
    }
    return cpu;
}

// Seconds that a core has been busy since the machine started.
static inline double core_busy(int core) {
    char line[512], name[16];
    double busy = 0;
    snprintf(name, sizeof name, "cpu%d ", core);
    FILE *file = fopen("/proc/stat", "r");
    while (file && fgets(line, sizeof line, file)) {
        unsigned long user, nice, system, idle, wait, irq, softirq, steal;
        if (strncmp(line, name, strlen(name))) continue;
        sscanf(line, "%*s %lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal);
        busy = (user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK);
    }
    if (file) fclose(file);
    return busy;
}

static inline long resident_kB(int pid) {
    char path[64], line[256];
    long resident = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = pid ? fopen(path, "r") : NULL;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &resident) == 1) break;
    if (file) fclose(file);
    return resident;
}

static inline double own_cpu(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
