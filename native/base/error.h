// Errors that native code raises. The codes are those of lib/errors.ts; a test holds the two lists equal.
#pragma once

#include <stdexcept>
#include <string>

namespace bitpath {

// name in C++, code in JavaScript
#define BITPATH_ERROR_CODES(X)        \
  X(Argument, "ERR_BITPATH_ARGUMENT") \
  X(Program, "ERR_BITPATH_PROGRAM")   \
  X(Isa, "ERR_BITPATH_ISA")           \
  X(Memory, "ERR_BITPATH_MEMORY")     \
  X(Thread, "ERR_BITPATH_THREAD")     \
  X(Aborted, "ERR_BITPATH_ABORTED")   \
  X(Disposed, "ERR_BITPATH_DISPOSED") \
  X(Internal, "ERR_BITPATH_INTERNAL")

enum class ErrorCode {
#define X(name, code) name,
  BITPATH_ERROR_CODES(X)
#undef X
};

inline const char* codeName(ErrorCode code) {
  static const char* const names[] = {
#define X(name, code) code,
      BITPATH_ERROR_CODES(X)
#undef X
  };
  return names[static_cast<int>(code)];
}

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code(code) {}
  ErrorCode code;
};

}  // namespace bitpath
