// What Debian's libstdc++ and libgcc ask of glibc and musl lacks: enough for Bun, which only scripts/check-musl.mjs runs on them.
#include <locale.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;
unsigned __cpu_model[4];

int __cpu_indicator_init(void) { return 0; }

// Destructors at the end of a thread are left out.
int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* library) {
  (void)function, (void)object, (void)library;
  return 0;
}

// "Not found": the unwinder then walks the list of libraries.
int _dl_find_object(void* address, void* result) {
  (void)address, (void)result;
  return -1;
}

unsigned arc4random(void) {
  unsigned number = 0;
  return getrandom(&number, sizeof number, 0) == sizeof number ? number : 4;
}

size_t __strftime_l(char* to, size_t size, const char* format, const struct tm* time, locale_t locale) {
  return strftime_l(to, size, format, time, locale);
}
