#include "process_memory.h"

#include <limits.h>

#ifdef __GLIBC__

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int give_back(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    uintptr_t mask = *(const uintptr_t *)context - 1;
    for (size_t index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) != 0) {
            continue;
        }
        uintptr_t begin = (info->dlpi_addr + header->p_vaddr) & ~mask;
        uintptr_t end = (info->dlpi_addr + header->p_vaddr + header->p_memsz) & ~mask;
        if (end > begin) {
            // What cannot be given back stays.
            (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
        }
    }
    return 0;
}

void process_memory_give_back(void) {
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(give_back, &page_bytes);
    (void)malloc_trim(0);
}

#else

void process_memory_give_back(void) {
}

#endif
