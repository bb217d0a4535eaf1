#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Element tests once more, with the plugins of the build under sanitizers: nothing else has to be compiled for it.
# usage: sanitized.sh SANITIZED_BUILD REGISTRY TEST_PROGRAM…
set -eu
build=$1
registry=$2
shift 2
[ -e "$build/gst/capture/cuda/libgstximagecuda.so" ] && [ -e "$build/gst/nvenc/libgstnvstream.so" ] || {
  echo "SKIP: no sanitizer build of these plugins; scripts/test makes one"
  exit 77
}
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
# Programs and fakes are not instrumented, so the run time must be there before them.
libraries="$(${CC:-cc} -print-file-name=libasan.so) $(${CC:-cc} -print-file-name=libubsan.so)"
printf 'leak:%s\n' libglib-2.0 libgobject-2.0 libgstreamer-1.0 libX11 libgtest > "$reports/suppressions"
export GST_PLUGIN_PATH="$build/gst/capture:$build/gst/nvenc" GST_REGISTRY="$registry" GST_REGISTRY_FORK=no
export ASAN_OPTIONS="detect_leaks=1:exitcode=0:log_path=$reports/asan"
export LSAN_OPTIONS="suppressions=$reports/suppressions:exitcode=0" UBSAN_OPTIONS="print_stacktrace=1:log_path=$reports/ubsan"
# An allocator of the test's own would hide what the sanitizer looks for.
unset MALLOC_PERTURB_
status=0
for program in "$@"; do
  LD_PRELOAD="$libraries" "$program" || status=$?
done
for report in "$reports"/asan* "$reports"/ubsan*; do
  [ -e "$report" ] || continue
  if grep -E 'ERROR: AddressSanitizer|runtime error:' "$report"; then
    cat "$report"
    status=1
  fi
  # A leak counts when a frame of these plugins is in its stack.
  awk '/^(Direct|Indirect) leak/ { block = ""; in_leak = 1 }
       in_leak { block = block $0 "\n" }
       in_leak && /^$/ { if (block ~ /vitrine::|libgstximagecuda|libgstnvstream/) { printf "%s", block; found = 1 } in_leak = 0 }
       END { exit found }' "$report" || status=1
done
exit $status
