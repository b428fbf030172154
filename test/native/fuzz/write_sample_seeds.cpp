// write_sample_seeds <folder>: one file a sample, in program_fuzzer's format.
#include <cstdio>

#include "program_builder.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const programs::Sample& sample : programs::samples()) {
    const std::string path = std::string(argv[1]) + "/sample-" + sample.name;
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return 1;
    const uint32_t words = static_cast<uint32_t>(sample.code.size());
    std::fwrite(&words, 4, 1, file);
    std::fwrite(sample.code.data(), 4, words, file);
    std::fwrite(sample.constants.data(), 1, sample.constants.size(), file);
    std::fclose(file);
  }
  return 0;
}
