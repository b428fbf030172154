# What users' installs and the prebuilds build. Flags are the ABI's baseline: each ISA's kernels are compiled for their own
# instruction set by a target region in the file itself, never by a flag, so that no other code can contain such an
# instruction. CMakeLists.txt (native tests, sanitizers) reads the same list of sources.
{
  'variables': {
    # Prebuilds carry libstdc++, so that they load where the C++ runtime is older or missing.
    'static_runtime%': '<!(node -p "process.env.BITPATH_STATIC_RUNTIME ? 1 : 0")',
  },
  'targets': [
    {
      'target_name': 'bitpath',
      'sources': ['<!@(node scripts/native-sources.mjs)'],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=9', 'NAPI_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'actions': [
        {
          'action_name': 'build_id',
          'inputs': [
            '<!@(node scripts/native-sources.mjs --inputs)',
            'scripts/build-id.mjs',
            'scripts/native-sources.mjs',
          ],
          'outputs': ['<(INTERMEDIATE_DIR)/build_id.cpp'],
          'action': ['node', 'scripts/build-id.mjs', '<@(_outputs)'],
          'process_outputs_as_sources': 1,
          'message': 'Hashing the native sources',
        },
      ],
      # -ffp-contract=off: compilers fuse a*b+c at will otherwise, and ISAs would no longer agree bit for bit.
      'cflags': ['-O3', '-ffp-contract=off', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra'],
      'cflags!': ['-fno-exceptions', '-Wno-unused-parameter'],
      'cflags_cc': ['-std=c++17', '-fexceptions', '-fvisibility-inlines-hidden'],
      'cflags_cc!': ['-fno-exceptions', '-std=gnu++17', '-std=gnu++20', '-std=gnu++1y'],
      'ldflags': ['-pthread'],
      'conditions': [
        ['OS=="linux"', {
          'ldflags': ['-Wl,--version-script=<(module_root_dir)/native/node/exports.map'],
          'conditions': [['static_runtime==1', {'ldflags': ['-static-libstdc++', '-static-libgcc']}]],
        }],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
            'CLANG_CXX_LIBRARY': 'libc++',
            'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
            'GCC_OPTIMIZATION_LEVEL': '3',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
            'MACOSX_DEPLOYMENT_TARGET': '11.0',
            'OTHER_CFLAGS': ['-ffp-contract=off', '-Wall', '-Wextra'],
          },
        }],
        ['OS=="win"', {
          'defines': ['NOMINMAX', 'WIN32_LEAN_AND_MEAN'],
          'msvs_settings': {
            'VCCLCompilerTool': {
              'ExceptionHandling': 1,
              'Optimization': 2,
              'AdditionalOptions': ['/std:c++17', '/fp:precise', '/utf-8'],
            },
          },
        }],
      ],
    },
  ],
}
