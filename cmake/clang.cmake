# A toolchain file: clang under whatever name this system gives it.
find_program(BITPATH_CLANGXX NAMES clang++ clang++-20 clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14 REQUIRED)
set(CMAKE_CXX_COMPILER ${BITPATH_CLANGXX})
