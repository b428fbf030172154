// Memory that kernels touch: aligned to a cache line, and as long as it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace bitpath {

constexpr size_t kLineBytes = 64;

// A zeroed, 64-byte aligned block. Zeros of a large block cost nothing until they are touched. Throws std::bad_alloc.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    block_ = bytes > SIZE_MAX - kLineBytes ? nullptr : std::calloc(bytes + kLineBytes, 1);
    if (block_ == nullptr) throw std::bad_alloc();
    const uintptr_t address = reinterpret_cast<uintptr_t>(block_);
    data_ = reinterpret_cast<uint8_t*>((address + kLineBytes - 1) / kLineBytes * kLineBytes);
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AlignedBuffer() { std::free(block_); }

  uint8_t* data() const { return data_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  void swap(AlignedBuffer& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  void* block_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace bitpath
