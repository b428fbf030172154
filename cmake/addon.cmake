# The addon, for editors and debuggers. Figures and releases come from binding.gyp's binary only.
find_program(NODE_EXECUTABLE node REQUIRED)
execute_process(
  COMMAND ${NODE_EXECUTABLE} -p "require('node-addon-api').include_dir"
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE NODE_ADDON_API OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)

execute_process(
  COMMAND ${NODE_EXECUTABLE} scripts/native-sources.mjs --inputs
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE build_inputs OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" build_inputs "${build_inputs}")
set(build_id ${CMAKE_BINARY_DIR}/build_id.cpp)
add_custom_command(
  OUTPUT ${build_id}
  COMMAND ${NODE_EXECUTABLE} scripts/build-id.mjs ${build_id}
  DEPENDS ${build_inputs} scripts/build-id.mjs scripts/native-sources.mjs
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} COMMENT "Hashing the native sources")

add_library(bitpath SHARED ${NODE_SOURCES} ${build_id} ${CMAKE_JS_SRC})
target_link_libraries(bitpath PRIVATE bitpath_core ${CMAKE_JS_LIB})
target_include_directories(bitpath SYSTEM PRIVATE ${CMAKE_JS_INC} ${NODE_ADDON_API})
target_compile_definitions(bitpath PRIVATE
  NAPI_VERSION=9 NAPI_CPP_EXCEPTIONS NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
set_target_properties(bitpath PROPERTIES PREFIX "" SUFFIX ".node")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  target_link_options(bitpath PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/native/node/exports.map)
  set_property(TARGET bitpath APPEND PROPERTY LINK_DEPENDS ${CMAKE_SOURCE_DIR}/native/node/exports.map)
endif()
